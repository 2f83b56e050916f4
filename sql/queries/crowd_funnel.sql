-- What became of the submissions of a simulated crowd?
-- Parameters: crowd, the begin of its batches' keys.
-- Columns: status, reason (null but for rejected and review), submissions.
select submissions.status, submissions.reason, count(*) as submissions
from batches
join submissions on submissions.batch_id = batches.id
where starts_with(batches.key, :crowd || '-')
group by submissions.status, submissions.reason
order by submissions.status, submissions.reason
