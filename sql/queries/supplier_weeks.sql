-- What became of what somebody sent in each week, of the last so many up to their latest batch? Of closed batches, from the counts that
-- they keep.
-- Parameters: supplier_id, weeks.
-- Columns: week (its Monday, UTC), accepted, rejected, review; earliest first, those without a batch left out.
select
    date_trunc('week', batches.submitted_at, 'UTC') as week,
    sum(batches.accepted_count) as accepted,
    sum(batches.rejected_count) as rejected,
    sum(batches.review_count) as review
from batches
where
    batches.supplier_id = :supplier_id
    and batches.status = 'closed'
    and batches.submitted_at > (
        select max(latest.submitted_at) from batches as latest where latest.supplier_id = :supplier_id
    ) - make_interval(weeks => :weeks)
group by week
order by week
