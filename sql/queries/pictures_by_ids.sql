-- Which of these pictures have a current label?
-- Parameters: image_ids (array).
-- Columns: those of gallery.
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    images.picture_key,
    images.thumbnail_key,
    images.width_px,
    images.height_px
from images
join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
join labels on labels.id = image_labels.label_id
where images.id = any(cast(:image_ids as bigint[]))
