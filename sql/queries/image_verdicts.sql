-- What every check said of a picture, in the order in which they were made.
-- Parameters: image_id.
-- Columns: check_name, outcome, score, threshold, detail.
select verdicts.check_name, verdicts.outcome, verdicts.score, verdicts.threshold, verdicts.detail
from images
join submissions on submissions.object_key = images.original_key
join verdicts on verdicts.submission_id = submissions.id
where images.id = :image_id
order by verdicts.id
