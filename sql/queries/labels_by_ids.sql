-- The labels of these rows.
-- Parameters: ids (array of whole numbers, also of such as no label can have).
-- Columns: those of a label, by id.
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children
from labels
join label_counts on label_counts.label_id = labels.id
where labels.id = any(:ids)
order by labels.id
