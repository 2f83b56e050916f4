-- Count what is there for the open demands of a place: the accepted photographs of closed batches for the label, or for anything under
-- it, that were sent from around.
-- Parameters: place_id, near_place_ids (array: the places around it, itself included).
-- Columns: none.
update demands
set near_images = counted.images
from (
    select asked.id, coalesce(sum(batches.accepted_count), 0) as images
    from demands as asked
    join label_closure on label_closure.ancestor_id = asked.label_id
    left join batches
        on batches.label_id = label_closure.descendant_id
        and batches.place_id = any(cast(:near_place_ids as bigint[]))
        and batches.status = 'closed'
    where asked.status = 'open' and asked.place_id = :place_id
    group by asked.id
) as counted
where counted.id = demands.id and counted.images <> demands.near_images
