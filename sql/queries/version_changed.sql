-- Which pictures of a dataset version are in another split than in the version before? Or: which have another label?
-- Parameters: version_id, other_id (the one before), is_by_label (false: by split), after_position (-1: from the first), limit.
-- Columns: those of version_only_here, split_before, label_before (its name); by position.
-- Both versions are laid side by side at once: to look each picture up in the other takes ten times as long when few changed.
with changed as materialized (
    select
        now.position,
        now.image_id,
        now.label_id,
        now.split,
        before.label_id as label_id_before,
        before.split as split_before
    from (select * from dataset_items where version_id = :version_id and position > :after_position) as now
    join (select * from dataset_items where version_id = :other_id) as before on before.image_id = now.image_id
    where case when :is_by_label then now.label_id <> before.label_id else now.split <> before.split end
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
    images.height_px,
    changed.position,
    changed.split,
    exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    ) as is_public,
    changed.split_before,
    label_before.name as label_before
from (select * from changed order by position limit :limit) as changed
join images on images.id = changed.image_id
join labels on labels.id = changed.label_id
join labels as label_before on label_before.id = changed.label_id_before
order by changed.position
