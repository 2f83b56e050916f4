-- Hold the open demands that are met, always in the same order, until the transaction ends: whoever votes at this moment has done so
-- before, or finds the demand closed.
-- Parameters: none.
-- Columns: id.
select demands.id
from demands
join label_counts on label_counts.label_id = demands.label_id
where
    demands.status = 'open'
    and case when demands.place_id is null then label_counts.subtree_images else demands.near_images end >= demands.target_images
order by demands.id
for no key update of demands
