-- Which of these submissions are accepted, and with which pictures?
-- Parameters: submission_ids (array).
-- Columns: submission_id, image_id; in the order in which they were sent.
select submissions.id as submission_id, submissions.image_id
from submissions
where submissions.id = any(:submission_ids) and submissions.status = 'accepted'
order by submissions.batch_id, submissions.position
