-- Add a new label under a parent: from now on it appears under every ancestor of that parent. The code must be new, and the
-- parent, where one is named, must exist.
-- Parameters: code, name, source, parent_code (null: a root).
-- Columns: id.
with parent as (
    select id from labels where code = :parent_code
),
added as (
    insert into labels (code, name, source) values (:code, :name, :source)
    returning id
),
edge as (
    insert into label_edges (parent_id, child_id, relation)
    select parent.id, added.id, 'subcategory' from parent, added
),
closure as (
    insert into label_closure (ancestor_id, descendant_id, depth)
    select added.id, added.id, 0 from added
    union all
    select label_closure.ancestor_id, added.id, label_closure.depth + 1
    from added, parent
    join label_closure on label_closure.descendant_id = parent.id
),
counts as (
    insert into label_counts (label_id) select id from added
)
select id from added
