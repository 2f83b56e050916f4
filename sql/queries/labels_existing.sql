-- Which of these labels exist?
-- Parameters: codes (array of texts).
-- Columns: those of a label (id, code, name, own_images, subtree_images, has_children), by code.
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children
from labels
join label_counts on label_counts.label_id = labels.id
where labels.code = any(cast(:codes as text[]))
order by labels.code
