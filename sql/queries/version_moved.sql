-- Which pictures of a dataset version are in another split than in the version before?
-- Parameters: version_id, other_id (the one before), after_position (-1: from the first), limit.
-- Columns: those of version_only_here, split_before, label_before (its name); by position.
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
    now.position,
    now.split,
    exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    ) as is_public,
    before.split as split_before,
    label_before.name as label_before
from dataset_items as now
join dataset_items as before on before.version_id = :other_id and before.image_id = now.image_id
join images on images.id = now.image_id
join labels on labels.id = now.label_id
join labels as label_before on label_before.id = before.label_id
where
    now.version_id = :version_id
    and now.position > :after_position
    and now.split <> before.split
order by now.position
limit :limit
