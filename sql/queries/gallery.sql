-- The newest pictures of a label, or of it and everything under it. A page of it, after a picture.
-- Each label's newest pictures come from the index on their own, and a page is the newest of those: a label with few pictures
-- and the root of everything both read a few rows a label, however many pictures there are.
-- Parameters: label_id, with_descendants, after_image_id (null: from the newest), limit.
-- Columns: image_id, sha256, label_id, label_code, label_name, picture_key, thumbnail_key, width_px, height_px; newest first.
with page as (
    select newest.image_id, newest.label_id
    from label_closure
    cross join lateral (
        select image_labels.image_id, image_labels.label_id
        from image_labels
        where
            image_labels.label_id = label_closure.descendant_id
            and image_labels.is_current
            and image_labels.label_set = 'main'
            and image_labels.image_id < coalesce(cast(:after_image_id as bigint), 9223372036854775807)
        order by image_labels.image_id desc
        limit :limit
    ) as newest
    where label_closure.ancestor_id = :label_id and (:with_descendants or label_closure.depth = 0)
    order by newest.image_id desc
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
