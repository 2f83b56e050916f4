-- What became of all that somebody has sent, in all and for each label? From the counts that batches keep.
-- Parameters: supplier_id, limit.
-- Columns: label_id, label_code, label_name (null: all of them together), batches, submitted, pending, accepted, rejected, review; all
-- together first, then the label with most photographs.
select
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    count(*) as batches,
    sum(batches.submitted_count) as submitted,
    coalesce(sum(batches.submitted_count) filter (where batches.status = 'pending'), 0) as pending,
    sum(batches.accepted_count) as accepted,
    sum(batches.rejected_count) as rejected,
    sum(batches.review_count) as review
from batches
join labels on labels.id = batches.label_id
where batches.supplier_id = :supplier_id
group by grouping sets ((), (labels.id, labels.code, labels.name))
order by labels.id is not null, submitted desc, label_name, label_id
limit :limit
