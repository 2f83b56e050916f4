-- What is a submission now, and who changed that last? Its batch must be locked already.
-- Parameters: submission_id.
-- Columns: status, reason, change_id, cause, from_status, from_reason, user_id, user_name (of the last change; null: it is as intake
-- decided).
select
    submissions.status,
    submissions.reason,
    last_change.id as change_id,
    last_change.cause,
    last_change.from_status,
    last_change.from_reason,
    last_change.user_id,
    users.display_name as user_name
from submissions
left join lateral (
    select decision_changes.*
    from decision_changes
    where decision_changes.submission_id = submissions.id
    order by decision_changes.id desc
    limit 1
) as last_change on true
left join users on users.id = last_change.user_id
where submissions.id = :submission_id
