-- Change what submissions are, and write down what they were. Rows of the history go in in order of submission.
-- Parameters: submission_ids, statuses, reasons, image_label_ids (four lists of one length), cause, detail, user_id.
-- Columns: none.
with changes as (
    select *
    from unnest(
        cast(:submission_ids as bigint[]), cast(:statuses as text[]), cast(:reasons as text[]), cast(:image_label_ids as bigint[])
    ) as changes (submission_id, status, reason, image_label_id)
),
history as (
    insert into decision_changes (
        submission_id, from_status, from_reason, to_status, to_reason, image_label_id, cause, detail, user_id
    )
    select
        submissions.id, submissions.status, submissions.reason, changes.status, changes.reason, changes.image_label_id,
        :cause, :detail, :user_id
    from changes
    join submissions on submissions.id = changes.submission_id
    order by submissions.id
)
update submissions
set status = changes.status, reason = changes.reason, decided_at = now()
from changes
where submissions.id = changes.submission_id
