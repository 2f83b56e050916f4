-- Make label_closure say what label_edges say: each label with itself at depth 0, and with every label above it by
-- subcategory, at the fewest steps. Rows that are right already are left alone.
-- Columns: removed, written.
with recursive walks (ancestor_id, descendant_id, depth) as (
    select id, id, 0 from labels
    union
    select walks.ancestor_id, label_edges.child_id, walks.depth + 1
    from walks
    join label_edges on label_edges.parent_id = walks.descendant_id and label_edges.relation = 'subcategory'
),
wanted as (
    select ancestor_id, descendant_id, min(depth) as depth
    from walks
    group by ancestor_id, descendant_id
),
removed as (
    delete from label_closure
    where not exists (
        select from wanted
        where wanted.ancestor_id = label_closure.ancestor_id and wanted.descendant_id = label_closure.descendant_id
    )
    returning 1
),
written as (
    insert into label_closure (ancestor_id, descendant_id, depth)
    select ancestor_id, descendant_id, depth from wanted
    on conflict (ancestor_id, descendant_id) do update set depth = excluded.depth
    where label_closure.depth <> excluded.depth
    returning 1
)
select (select count(*) from removed) as removed, (select count(*) from written) as written
