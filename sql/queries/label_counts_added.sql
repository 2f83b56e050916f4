-- Add pictures to the counts of their labels and of all above them.
-- Parameters: label_ids (array of integers), counts (array of as many integers).
-- Columns: label_id, of every label whose counts changed.
with added as (
    select * from unnest(cast(:label_ids as integer[]), cast(:counts as bigint[])) as added (label_id, images)
),
changes as (
    select
        label_closure.ancestor_id as label_id,
        coalesce(sum(added.images) filter (where label_closure.depth = 0), 0) as own_images,
        sum(added.images) as subtree_images
    from added
    join label_closure on label_closure.descendant_id = added.label_id
    group by label_closure.ancestor_id
)
update label_counts
set
    own_images = label_counts.own_images + changes.own_images,
    subtree_images = label_counts.subtree_images + changes.subtree_images
from changes
where changes.label_id = label_counts.label_id
returning label_counts.label_id
