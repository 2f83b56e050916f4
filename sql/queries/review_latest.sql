-- Which decision of this person's review is the latest that still stands? A takedown is none: nothing takes it back.
-- Parameters: user_id.
-- Columns: change_id, submission_id, status, reason, label_name (null: it has no label); no row where there is none.
select
    decision_changes.id as change_id,
    submissions.id as submission_id,
    submissions.status,
    submissions.reason,
    labels.name as label_name
from decision_changes
join submissions on submissions.id = decision_changes.submission_id
left join image_labels on image_labels.id = decision_changes.image_label_id
left join labels on labels.id = image_labels.label_id
where
    decision_changes.user_id = :user_id
    and decision_changes.cause = 'operator'
    and decision_changes.from_status = 'review'
    and decision_changes.to_reason is distinct from 'taken_down'
    and not exists (
        select from decision_changes as later
        where later.submission_id = decision_changes.submission_id and later.id > decision_changes.id
    )
order by decision_changes.id desc
limit 1
