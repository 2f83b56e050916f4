-- Where do the kept counts differ from the pictures? Counts of missing rows are null.
-- Columns: label_id, code, own_kept, own_found, subtree_kept, subtree_found.
with own as (
    select label_id, count(*) as images
    from image_labels
    where is_current and label_set = 'main'
    group by label_id
),
found as (
    select
        label_closure.ancestor_id as label_id,
        coalesce(sum(own.images) filter (where label_closure.depth = 0), 0) as own_images,
        coalesce(sum(own.images), 0) as subtree_images
    from label_closure
    left join own on own.label_id = label_closure.descendant_id
    group by label_closure.ancestor_id
)
select
    labels.id as label_id,
    labels.code,
    label_counts.own_images as own_kept,
    coalesce(found.own_images, 0) as own_found,
    label_counts.subtree_images as subtree_kept,
    coalesce(found.subtree_images, 0) as subtree_found
from labels
left join found on found.label_id = labels.id
left join label_counts on label_counts.label_id = labels.id
where (label_counts.own_images, label_counts.subtree_images)
    is distinct from (coalesce(found.own_images, 0), coalesce(found.subtree_images, 0))
order by labels.code
