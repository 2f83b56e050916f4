-- The pictures of a dataset version, or of one of its splits, or of a label in it, with what a download says of each.
-- Parameters: version_id, split (null: all), label_code (null: all), after_position (-1: from the first), limit (null: all).
-- Columns: position, sha256, label_code, split, group_key, picture_key, picture_size_bytes, width_px and height_px (of the original),
-- licence, attribution, taken_at, country_code, city, picture_sha256 and picture_crc32 (null: nobody found them out); by position.
select
    dataset_items.position,
    images.sha256,
    labels.code as label_code,
    dataset_items.split,
    dataset_items.group_key,
    images.picture_key,
    images.picture_size_bytes,
    images.width_px,
    images.height_px,
    batches.licence,
    batches.attribution,
    images.taken_at,
    places.country_code,
    places.city,
    images.picture_sha256,
    images.picture_crc32
from dataset_items
join images on images.id = dataset_items.image_id
join labels on labels.id = dataset_items.label_id
join batches on batches.id = images.batch_id
left join places on places.id = batches.place_id
where
    dataset_items.version_id = :version_id
    and dataset_items.position > :after_position
    and (cast(:split as text) is null or dataset_items.split = :split)
    and (cast(:label_code as text) is null or labels.code = :label_code)
order by dataset_items.position
limit :limit
