-- What became of the submissions of one batch?
-- Parameters: batch_key.
-- Columns: status, reason (null but for rejected and review), submissions.
select submissions.status, submissions.reason, count(*) as submissions
from batches
join submissions on submissions.batch_id = batches.id
where batches.key = :batch_key
group by submissions.status, submissions.reason
order by submissions.status, submissions.reason
