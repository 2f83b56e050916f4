-- Who watches what? Of one label, those too who watch a label above it: new pictures of it concern them.
-- Parameters: label_code (null: everything that is watched).
-- Columns: user_id, user_name, label_code, label_name (what is watched), subtree_images, since; by label code, then who came first.
select
    users.id as user_id,
    users.display_name as user_name,
    labels.code as label_code,
    labels.name as label_name,
    label_counts.subtree_images,
    watches.created_at as since
from watches
join users on users.id = watches.user_id
join labels on labels.id = watches.label_id
join label_counts on label_counts.label_id = labels.id
where
    cast(:label_code as text) is null
    or watches.label_id in (
        select label_closure.ancestor_id
        from labels as watched
        join label_closure on label_closure.descendant_id = watched.id
        where watched.code = cast(:label_code as text)
    )
order by labels.code, watches.created_at, users.id
