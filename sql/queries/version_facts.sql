-- When, where and in how many batches were the pictures of a dataset version taken?
-- Parameters: version_id.
-- Columns: batch_count, first_taken_at and last_taken_at (null: nobody said), placed_count (pictures with a city); one row.
select
    count(distinct version_batches.batch_id) as batch_count,
    min(version_batches.first_taken_at) as first_taken_at,
    max(version_batches.last_taken_at) as last_taken_at,
    coalesce(sum(version_batches.image_count) filter (where places.city is not null), 0) as placed_count
from version_batches
join batches on batches.id = version_batches.batch_id
left join places on places.id = batches.place_id
where version_batches.version_id = :version_id
