-- What became of each file of a batch, and why? The verdict in force that decided it, and the last time that it was decided anew.
-- Parameters: batch_key, after_position (-1: from the first), limit.
-- Columns: position, filename, size_bytes, status, reason, detail, score, threshold (these three of the deciding verdict),
-- image_sha256 (its picture; for a copy, the original; null once it was taken down), width_px, height_px (of the picture), is_public (everybody may see the
-- picture), cause, changed_at (of the last change; null: it is as intake decided); by position.
select
    submissions.position,
    submissions.filename,
    submissions.size_bytes,
    submissions.status,
    submissions.reason,
    deciding.detail,
    deciding.score,
    deciding.threshold,
    images.sha256 as image_sha256,
    images.width_px,
    images.height_px,
    exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    ) as is_public,
    last_change.cause,
    last_change.created_at as changed_at
from batches
join submissions on submissions.batch_id = batches.id
left join images on images.id = submissions.image_id and images.taken_down_at is null
left join lateral (
    select verdicts.detail, verdicts.score, verdicts.threshold
    from verdicts
    where
        verdicts.submission_id = submissions.id
        -- A check that passes decides nothing: an operator may have refused for the same reason what it let through.
        and verdicts.outcome = 'fail'
        and (
            verdicts.check_name = submissions.reason
            or (verdicts.check_name = 'review' and starts_with(verdicts.detail, submissions.reason || ':'))
            or (verdicts.check_name in ('bytes', 'decode') and submissions.reason is not null)
        )
    order by verdicts.id desc
    limit 1
) as deciding on true
left join lateral (
    select decision_changes.cause, decision_changes.created_at
    from decision_changes
    where decision_changes.submission_id = submissions.id
    order by decision_changes.id desc
    limit 1
) as last_change on true
where batches.key = :batch_key and submissions.position > :after_position
order by submissions.position
limit :limit
