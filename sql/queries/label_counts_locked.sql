-- Lock the counts of these labels and of all above them, in order of label: concurrent writers queue and never cross.
-- Parameters: label_ids (array of integers).
-- Columns: label_id.
select label_id
from label_counts
where label_id in (select ancestor_id from label_closure where descendant_id = any(cast(:label_ids as integer[])))
order by label_id
for update
