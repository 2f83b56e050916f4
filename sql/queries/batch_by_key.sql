-- One batch, by the sender's name for it.
-- Parameters: key.
-- Columns: those of latest_batches.
select
    batches.id,
    batches.key,
    batches.status,
    labels.code as label_code,
    labels.name as label_name,
    batches.supplier_id,
    users.display_name as supplier_name,
    batches.licence,
    batches.submitted_count,
    batches.accepted_count,
    batches.rejected_count,
    batches.review_count,
    batches.submitted_at,
    batches.closed_at,
    places.country_code,
    places.region,
    places.city,
    places.postcode,
    places.latitude,
    places.longitude
from batches
join labels on labels.id = batches.label_id
join users on users.id = batches.supplier_id
left join places on places.id = batches.place_id
where batches.key = :key
