-- What became of what somebody sent in each week? Of closed batches, from the counts that they keep.
-- Parameters: supplier_id, limit.
-- Columns: week (its Monday, UTC), accepted, rejected, review; latest first.
select
    date_trunc('week', batches.submitted_at, 'UTC') as week,
    sum(batches.accepted_count) as accepted,
    sum(batches.rejected_count) as rejected,
    sum(batches.review_count) as review
from batches
where batches.supplier_id = :supplier_id and batches.status = 'closed'
group by week
order by week desc
limit :limit
