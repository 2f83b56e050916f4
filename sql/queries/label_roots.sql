-- The labels under no other; parents before leaves, then by name. A page of it, after a cursor.
-- Parameters: after_is_leaf, after_name, after_id (null: from the start); limit.
-- Columns: those of a label.
select * from (
    select
        labels.id,
        labels.code,
        labels.name,
        label_counts.own_images,
        label_counts.subtree_images,
        exists (select from label_edges where label_edges.parent_id = labels.id) as has_children
    from labels
    join label_counts on label_counts.label_id = labels.id
    where not exists (select from label_edges as above where above.child_id = labels.id)
) as roots
where
    cast(:after_id as integer) is null
    or (not has_children, lower(name), id) > (cast(:after_is_leaf as boolean), cast(:after_name as text), :after_id)
order by not has_children, lower(name), id
limit :limit
