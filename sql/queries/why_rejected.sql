-- Why was this picture not accepted? Every verdict on one object that was sent: those in force first, and of them those that failed it;
-- then those that a newer one took the place of. With the last time that its decision changed after intake.
-- Parameters: object_key.
-- Columns: status, reason, check_name, check_version, outcome, score, threshold, detail, is_in_force, original_sha256 (of the picture
-- that it is a copy of), cause, cause_detail, changed_at (of the last change; null: it is as intake decided).
select
    submissions.status,
    submissions.reason,
    ledger.check_name,
    ledger.check_version,
    ledger.outcome,
    ledger.score,
    ledger.threshold,
    ledger.detail,
    coalesce(ledger.is_in_force, false) as is_in_force,
    originals.sha256 as original_sha256,
    last_change.cause,
    last_change.detail as cause_detail,
    last_change.created_at as changed_at
from submissions
left join lateral (
    select verdicts.*, verdicts.id = max(verdicts.id) over (partition by verdicts.check_name) as is_in_force
    from verdicts
    where verdicts.submission_id = submissions.id
) as ledger on true
left join images as originals on originals.id = submissions.image_id and submissions.reason = 'exact_duplicates'
left join lateral (
    select decision_changes.cause, decision_changes.detail, decision_changes.created_at
    from decision_changes
    where decision_changes.submission_id = submissions.id
    order by decision_changes.id desc
    limit 1
) as last_change on true
where submissions.object_key = :object_key
order by ledger.is_in_force desc, array_position(array['fail', 'flag', 'pass'], ledger.outcome), ledger.id
