-- Which pictures does a dataset version have that another has not?
-- Parameters: version_id, other_id, after_position (-1: from the first), limit.
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
    here.position,
    here.split,
    exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    ) as is_public
from dataset_items as here
join images on images.id = here.image_id
join labels on labels.id = here.label_id
where
    here.version_id = :version_id
    and here.position > :after_position
    and not exists (
        select from dataset_items as there where there.version_id = :other_id and there.image_id = here.image_id
    )
order by here.position
limit :limit
