-- One picture with where it came from.
-- Parameters: sha256.
-- Columns: those of gallery, and format, size_bytes, picture_size_bytes, original_key, quality_score, taken_at,
-- created_at, taken_down_at, batch_key, supplier_id, supplier_name, licence, attribution, country_code, city. The label is null when it has none now.
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
    images.format,
    images.size_bytes,
    images.picture_size_bytes,
    images.original_key,
    images.quality_score,
    images.taken_at,
    images.created_at,
    images.taken_down_at,
    batches.key as batch_key,
    batches.supplier_id,
    users.display_name as supplier_name,
    batches.licence,
    batches.attribution,
    places.country_code,
    places.city
from images
join batches on batches.id = images.batch_id
join users on users.id = batches.supplier_id
left join places on places.id = batches.place_id
left join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
left join labels on labels.id = image_labels.label_id
where images.sha256 = :sha256
