-- One shard of a split of a dataset version, or of a label in it: every so-many-th picture, so that each shard has all labels.
-- Parameters: version_id, split, label_code (null: all), number (from 0), shard_count.
-- Columns: those of version_pictures; in an order that mixes labels, the same every time: positions times the golden ratio.
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
    and dataset_items.split = :split
    and dataset_items.position % :shard_count = :number
    and (cast(:label_code as text) is null or labels.code = :label_code)
order by (dataset_items.position * 2654435769) & 4294967295
