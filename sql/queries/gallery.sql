-- The newest pictures of a label, or of it and everything under it. A page of it, after a picture.
-- Only labels whose newest picture is among the newest of all labels can have a picture on the page: those contenders are found
-- with one step into the index a label, and only their pictures are read. So the root of everything costs little more than a
-- leaf, however many pictures there are.
-- Parameters: label_id, with_descendants, after_image_id (null: from the newest), limit.
-- Columns: image_id, sha256, label_id, label_code, label_name, picture_key, thumbnail_key, width_px, height_px; newest first.
with contenders as (
    select label_closure.descendant_id as label_id, newest.image_id
    from label_closure
    cross join lateral (
        select image_labels.image_id
        from image_labels
        where
            image_labels.label_id = label_closure.descendant_id
            and image_labels.is_current
            and image_labels.label_set = 'main'
            and image_labels.image_id < coalesce(cast(:after_image_id as bigint), 9223372036854775807)
        order by image_labels.image_id desc
        limit 1
    ) as newest
    where label_closure.ancestor_id = :label_id and (:with_descendants or label_closure.depth = 0)
    order by newest.image_id desc
    limit :limit
),
-- As many contenders as the page is long fill it already: nothing older than the last of them is on it.
oldest_possible as (
    select case when count(*) = :limit then min(image_id) else 0 end as image_id from contenders
),
page as (
    select of_label.image_id, contenders.label_id
    from contenders
    cross join oldest_possible
    cross join lateral (
        select image_labels.image_id
        from image_labels
        where
            image_labels.label_id = contenders.label_id
            and image_labels.is_current
            and image_labels.label_set = 'main'
            and image_labels.image_id between oldest_possible.image_id and contenders.image_id
        order by image_labels.image_id desc
        limit :limit
    ) as of_label
    order by of_label.image_id desc
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
