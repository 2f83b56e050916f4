-- Make pictures, with their descriptors, of the photographs of some batches that decode, except of those that the hub has already. Of
-- equal photographs the first one of the batch with the lowest id becomes the picture. Rows go in in order of sha256, so that two runs
-- with the same photographs cannot lock each other out.
-- Parameters: attempt, batch_ids (array).
-- Columns: none.
with decoded as (
    select distinct on (staged.sha256) staged.*, submissions.object_key, submissions.taken_at
    from staged_decisions as staged
    join submissions on submissions.id = staged.submission_id
    where staged.attempt = :attempt and staged.batch_id = any(:batch_ids) and staged.picture_key is not null
    order by staged.sha256, submissions.batch_id, submissions.position
),
inserted as (
    insert into images (
        sha256, batch_id, format, size_bytes, picture_size_bytes, picture_sha256, picture_crc32, width_px, height_px,
        original_key, picture_key, thumbnail_key, quality_score, taken_at
    )
    select
        sha256, batch_id, format, size_bytes, picture_size_bytes, picture_sha256, picture_crc32, width_px, height_px,
        object_key, picture_key, thumbnail_key, quality_score, taken_at
    from decoded
    order by sha256
    on conflict (sha256) do nothing
    returning id, sha256
)
insert into descriptors (image_id, whole_hash, inner_hash, grid)
select inserted.id, decoded.whole_hash, decoded.inner_hash, decoded.grid
from inserted
join decoded on decoded.sha256 = inserted.sha256
