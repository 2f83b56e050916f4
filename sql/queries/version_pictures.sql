-- The pictures of a dataset version, or of one of its splits, with what a download says of each.
-- Parameters: version_id, split (null: all), after_position (-1: from the first), limit (null: all).
-- Columns: position, sha256, label_code, group_key, picture_key, picture_size_bytes, licence, attribution, taken_at, country_code,
-- city; by position.
select
    dataset_items.position,
    images.sha256,
    labels.code as label_code,
    dataset_items.group_key,
    images.picture_key,
    images.picture_size_bytes,
    batches.licence,
    batches.attribution,
    images.taken_at,
    places.country_code,
    places.city
from dataset_items
join images on images.id = dataset_items.image_id
join labels on labels.id = dataset_items.label_id
join batches on batches.id = images.batch_id
left join places on places.id = batches.place_id
where
    dataset_items.version_id = :version_id
    and dataset_items.position > :after_position
    and (cast(:split as text) is null or dataset_items.split = :split)
order by dataset_items.position
limit :limit
