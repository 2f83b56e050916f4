-- So many pictures of a split of a dataset version, or of a label in it, from all over it. Fewer are the first of more.
-- Parameters: version_id, split, label_code (null: all), limit.
-- Columns: those of version_pictures; in an order that mixes labels, the same every time: positions times the golden ratio.
-- They are chosen before anything else is read of them: a split may have a million others.
with chosen as materialized (
    select position, image_id, label_id, split, group_key
    from dataset_items
    where
        version_id = :version_id
        and split = :split
        and (cast(:label_code as text) is null or label_id = (select id from labels where code = :label_code))
    order by (position * 2654435769) & 4294967295
    limit :limit
)
select
    chosen.position,
    images.sha256,
    labels.code as label_code,
    chosen.split,
    chosen.group_key,
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
from chosen
join images on images.id = chosen.image_id
join labels on labels.id = chosen.label_id
join batches on batches.id = images.batch_id
left join places on places.id = batches.place_id
order by (chosen.position * 2654435769) & 4294967295
