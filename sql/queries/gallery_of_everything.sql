-- The newest pictures of all labels. A page of it, after a picture.
-- Parameters: after_image_id (null: from the newest), limit.
-- Columns: those of gallery.
with page as (
    select image_id, label_id
    from image_labels
    where
        is_current
        and label_set = 'main'
        and image_id < coalesce(cast(:after_image_id as bigint), 9223372036854775807)
    order by image_id desc
    limit :limit
)
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
from page
join images on images.id = page.image_id
join labels on labels.id = page.label_id
order by images.id desc
