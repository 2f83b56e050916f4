-- Give a batch's new pictures the label that their supplier gave.
-- Parameters: batch_id.
-- Columns: none.
insert into image_labels (image_id, label_id, said_by, user_id)
select images.id, batches.label_id, 'supplier', batches.supplier_id
from batches
join images on images.batch_id = batches.id
where batches.id = :batch_id
order by images.id
