-- Give the accepted pictures of some batches the label that their supplier gave.
-- Parameters: batch_ids (array).
-- Columns: none.
insert into image_labels (image_id, label_id, said_by, user_id)
select submissions.image_id, batches.label_id, 'supplier', batches.supplier_id
from batches
join submissions on submissions.batch_id = batches.id
where batches.id = any(:batch_ids) and submissions.status = 'accepted'
order by submissions.image_id
