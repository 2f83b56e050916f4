-- Add what galleries' pictures came to count for, and no longer count for, to the kept counts: of their labels, of all labels above
-- them, and of the hub.
-- Parameters: none.
-- Columns: none.
with taken as (
    delete from facet_changes returning label_id, facet, value, images
),
changes as (
    select
        label_closure.ancestor_id as label_id,
        taken.facet,
        taken.value,
        coalesce(sum(taken.images) filter (where label_closure.depth = 0), 0) as own_images,
        sum(taken.images) as subtree_images
    from taken
    join label_closure on label_closure.descendant_id = taken.label_id
    group by label_closure.ancestor_id, taken.facet, taken.value
    union all
    select null, facet, value, sum(images), sum(images)
    from taken
    group by facet, value
)
insert into facet_counts (label_id, facet, value, own_images, subtree_images)
select label_id, facet, value, own_images, subtree_images
from changes
where own_images <> 0 or subtree_images <> 0
on conflict (label_id, facet, value) do update
set
    own_images = facet_counts.own_images + excluded.own_images,
    subtree_images = facet_counts.subtree_images + excluded.subtree_images
