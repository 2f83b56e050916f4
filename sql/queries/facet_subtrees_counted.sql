-- Count anew, from what each label's own pictures count for, what they count for with those of everything under it.
-- Parameters: none.
-- Columns: none.
with subtrees as (
    select label_closure.ancestor_id as label_id, own.facet, own.value, sum(own.own_images) as subtree_images
    from facet_counts as own
    join label_closure on label_closure.descendant_id = own.label_id
    where own.own_images <> 0
    group by label_closure.ancestor_id, own.facet, own.value
),
emptied as (
    update facet_counts
    set subtree_images = 0
    where
        label_id is not null
        and subtree_images <> 0
        and not exists (
            select from subtrees
            where subtrees.label_id = facet_counts.label_id and subtrees.facet = facet_counts.facet and subtrees.value = facet_counts.value
        )
)
insert into facet_counts (label_id, facet, value, own_images, subtree_images)
select label_id, facet, value, 0, subtree_images
from subtrees
on conflict (label_id, facet, value) do update
set subtree_images = excluded.subtree_images
where facet_counts.subtree_images <> excluded.subtree_images
