-- The labels right under a label, by any relation; parents before leaves, then by name. A page of it, after a cursor.
-- Parameters: label_id; after_is_leaf, after_name, after_id (null: from the start); limit.
-- Columns: those of a label, and relation (subcategory before part).
select * from (
    select distinct on (labels.id)
        labels.id,
        labels.code,
        labels.name,
        label_counts.own_images,
        label_counts.subtree_images,
        exists (select from label_edges where label_edges.parent_id = labels.id) as has_children,
        below.relation
    from label_edges as below
    join labels on labels.id = below.child_id
    join label_counts on label_counts.label_id = labels.id
    where below.parent_id = :label_id
    order by labels.id, below.relation desc
) as children
where
    cast(:after_id as integer) is null
    or (not has_children, lower(name), id) > (cast(:after_is_leaf as boolean), cast(:after_name as text), :after_id)
order by not has_children, lower(name), id
limit :limit
