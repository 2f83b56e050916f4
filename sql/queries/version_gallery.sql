-- The pictures of a dataset version, or of one of its splits, under the version's own labels.
-- Parameters: version_id, split (null: all), from_position, before_position: a label's pictures stand together, limit.
-- Columns: those of gallery, position, split, is_public (somebody may see it still); by position.
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    images.picture_key,
    images.thumbnail_key,
    images.width_px,
    images.height_px,
    dataset_items.position,
    dataset_items.split,
    exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    ) as is_public
from dataset_items
join images on images.id = dataset_items.image_id
join labels on labels.id = dataset_items.label_id
where
    dataset_items.version_id = :version_id
    and dataset_items.position >= :from_position
    and dataset_items.position < :before_position
    and (cast(:split as text) is null or dataset_items.split = :split)
order by dataset_items.position
limit :limit
