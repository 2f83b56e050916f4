-- Which labels have at least or at most so many pictures, their descendants' included? Leaves and parents alike. A page of it,
-- after a cursor.
-- Parameters: min_images, max_images (null: no such bound; both count as inside); after_images and after_code (null: from the
-- start), limit.
-- Columns: those of a label; fewest pictures first, then by code.
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children
from label_counts
join labels on labels.id = label_counts.label_id
where
    label_counts.subtree_images >= coalesce(cast(:min_images as bigint), 0)
    and (cast(:max_images as bigint) is null or label_counts.subtree_images <= cast(:max_images as bigint))
    and (
        cast(:after_code as text) is null
        or (label_counts.subtree_images, labels.code) > (cast(:after_images as bigint), cast(:after_code as text))
    )
order by label_counts.subtree_images, labels.code
limit :limit
