-- Lay labels under others; edges that exist stay as they are.
-- Parameters: parents, children (codes), relations (arrays of as many texts).
-- Columns: added.
with added as (
    insert into label_edges (parent_id, child_id, relation)
    select parents.id, children.id, wanted.relation
    from unnest(cast(:parents as text[]), cast(:children as text[]), cast(:relations as text[]))
        as wanted (parent, child, relation)
    join labels as parents on parents.code = wanted.parent
    join labels as children on children.code = wanted.child
    on conflict do nothing
    returning 1
)
select count(*) as added from added
