-- Every label above a label, farthest first; the label itself is left out.
-- Parameters: label_id.
-- Columns: those of a label, and depth (fewest steps above it).
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children,
    label_closure.depth
from label_closure
join labels on labels.id = label_closure.ancestor_id
join label_counts on label_counts.label_id = labels.id
where label_closure.descendant_id = :label_id and label_closure.depth > 0
order by label_closure.depth desc, lower(labels.name), labels.code
