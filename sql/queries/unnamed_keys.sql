-- Which of these objects does nothing in the catalogue name? Pictures are found by the hash that their keys hold, which is indexed.
-- Parameters: area (exports/, images/, landing/, models/, thumbnails/ or uploads/), keys (array).
-- Columns: key; in order of its UTF-8 bytes.
with asked as (
    select key, substring(key from '/([0-9a-f]{64})[.]jpg$') as sha256
    from unnest(cast(:keys as text[])) as keys (key)
)
select asked.key
from asked
where
    not case :area
        -- Those too that are being made, or that somebody is about to remove.
        when 'exports/' then
            exists (select from kept_files where kept_files.object_key = asked.key)
        when 'images/' then
            exists (select from images where images.sha256 = asked.sha256 and images.picture_key = asked.key)
            or asked.key in (select picture_key from staged_decisions where picture_key is not null)
        when 'landing/' then
            exists (select from submissions where submissions.object_key = asked.key)
            or exists (select from batches where batches.manifest_key = asked.key)
            or exists (select from upload_files where upload_files.object_key = asked.key)
        when 'models/' then
            exists (select from model_files where model_files.key = asked.key)
        when 'thumbnails/' then
            exists (select from images where images.sha256 = asked.sha256 and images.thumbnail_key = asked.key)
            or asked.key in (select thumbnail_key from staged_decisions where thumbnail_key is not null)
        when 'uploads/' then
            exists (select from upload_parts where upload_parts.object_key = asked.key)
    end
order by asked.key collate "C"
