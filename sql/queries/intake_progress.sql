-- How far is each of these batches in this run of intake?
-- Parameters: attempt, batch_ids (array).
-- Columns: batch_id, is_closed, submitted_count, decided_count (submissions that have a decision), unavailable_count, problem (what the
-- store said of one of the unavailable ones); by id.
select
    batches.id as batch_id,
    batches.status = 'closed' as is_closed,
    batches.submitted_count,
    -- Both counts are of submissions, since a task that ran twice leaves its rows twice.
    count(distinct staged.submission_id) as decided_count,
    count(distinct staged.submission_id) filter (where staged.status = 'unavailable') as unavailable_count,
    min(staged.reason) filter (where staged.status = 'unavailable') as problem
from batches
left join staged_decisions as staged on staged.batch_id = batches.id and staged.attempt = :attempt
where batches.id = any(:batch_ids)
group by batches.id
order by batches.id
