-- Why was this picture not accepted? The verdicts on one object that was sent, those that failed it first.
-- Parameters: object_key.
-- Columns: status, reason, check_name, outcome, score, threshold, detail, original_sha256 (of the picture that it is a copy of).
select
    submissions.status,
    submissions.reason,
    verdicts.check_name,
    verdicts.outcome,
    verdicts.score,
    verdicts.threshold,
    verdicts.detail,
    originals.sha256 as original_sha256
from submissions
left join verdicts on verdicts.submission_id = submissions.id
left join images as originals on originals.id = submissions.image_id and submissions.reason = 'exact_duplicates'
where submissions.object_key = :object_key
order by array_position(array['fail', 'flag', 'pass'], verdicts.outcome), verdicts.id
