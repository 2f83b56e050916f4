-- Which objects does the catalogue name in one area of the store? Also those of decisions that wait to be merged, some of them for days.
-- Parameters: area (exports/, images/, landing/, models/, thumbnails/ or uploads/).
-- Columns: key; in order of its UTF-8 bytes.
with staged as (
    select distinct staged_decisions.picture_key, staged_decisions.thumbnail_key
    from staged_decisions
    where
        staged_decisions.picture_key is not null
        and not exists (select from images where images.sha256 = staged_decisions.sha256)
),
names (area, key) as (
    select 'exports/', object_key from kept_files where kept_at is not null and not is_forgotten
    union all
    select 'images/', picture_key from images
    union all
    select 'images/', picture_key from staged
    union all
    select 'landing/', object_key from submissions
    union all
    select 'landing/', manifest_key from batches
    union all
    select 'landing/', object_key from upload_files where object_key is not null
    union all
    select 'models/', key from model_files
    union all
    select 'thumbnails/', thumbnail_key from images
    union all
    select 'thumbnails/', thumbnail_key from staged
    union all
    select 'uploads/', object_key from upload_parts
)
select key
from names
where area = :area
order by key collate "C"
