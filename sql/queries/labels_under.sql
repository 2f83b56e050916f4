-- Everything under a label, the label itself included: what is a kind of it, directly or through others.
-- Parameters: label_code.
-- Columns: those of a label, and depth (fewest steps below it); by depth, then name, then code.
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children,
    label_closure.depth
from label_closure
join labels as top on top.id = label_closure.ancestor_id
join labels on labels.id = label_closure.descendant_id
join label_counts on label_counts.label_id = labels.id
where top.code = :label_code
order by label_closure.depth, lower(labels.name), labels.code
