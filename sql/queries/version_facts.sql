-- When, where and in how many batches were the pictures of a dataset version taken?
-- Parameters: version_id.
-- Columns: batch_count, first_taken_at and last_taken_at (null: nobody said), placed_count (pictures with a city); one row.
select
    count(distinct images.batch_id) as batch_count,
    min(images.taken_at) as first_taken_at,
    max(images.taken_at) as last_taken_at,
    count(places.city) as placed_count
from dataset_items
join images on images.id = dataset_items.image_id
join batches on batches.id = images.batch_id
left join places on places.id = batches.place_id
where dataset_items.version_id = :version_id
