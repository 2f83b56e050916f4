-- The labels under no other; parents before leaves, then by name. A page of it, after a cursor.
-- Parents and leaves are read apart, so that both come from the index on names: most labels stand alone.
-- Parameters: after_is_leaf, after_name, after_id (null: from the start); limit.
-- Columns: those of a label.
with parents as (
    select id, code, name, true as has_children
    from labels
    where
        exists (select from label_edges where label_edges.parent_id = labels.id)
        and not exists (select from label_edges where label_edges.child_id = labels.id)
        and (
            cast(:after_id as integer) is null
            or (not cast(:after_is_leaf as boolean) and (lower(name), id) > (cast(:after_name as text), cast(:after_id as integer)))
        )
    order by lower(name), id
    limit :limit
),
leaves as (
    select id, code, name, false as has_children
    from labels
    where
        not exists (select from label_edges where label_edges.parent_id = labels.id)
        and not exists (select from label_edges where label_edges.child_id = labels.id)
        and (
            cast(:after_id as integer) is null
            or not cast(:after_is_leaf as boolean)
            or (lower(name), id) > (cast(:after_name as text), cast(:after_id as integer))
        )
    order by lower(name), id
    limit :limit
)
select roots.id, roots.code, roots.name, label_counts.own_images, label_counts.subtree_images, roots.has_children
from (select * from parents union all select * from leaves) as roots
join label_counts on label_counts.label_id = roots.id
order by not roots.has_children, lower(roots.name), roots.id
limit :limit
