-- What an e-mail on a closed batch is about, and to whom it goes.
-- Parameters: batch_id.
-- Columns: batch_key, label_name, supplier_email, supplier_name.
select batches.key as batch_key, labels.name as label_name, users.email as supplier_email, users.display_name as supplier_name
from batches
join labels on labels.id = batches.label_id
join users on users.id = batches.supplier_id
where batches.id = :batch_id
