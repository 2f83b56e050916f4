-- The pictures of a dataset version that were not taken down, as they were frozen.
-- Parameters: version_id.
-- Columns: image_id, sha256, label_id, label_code, batch_key, size_bytes, split, group_key; by position.
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    batches.key as batch_key,
    images.picture_size_bytes as size_bytes,
    dataset_items.split,
    dataset_items.group_key
from dataset_items
join images on images.id = dataset_items.image_id
join labels on labels.id = dataset_items.label_id
join batches on batches.id = images.batch_id
where dataset_items.version_id = :version_id and images.taken_down_at is null
order by dataset_items.position
