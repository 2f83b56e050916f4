-- How did a submission's decision change since intake?
-- Parameters: submission_id.
-- Columns: from_status, from_reason, to_status, to_reason, cause, detail, label_name (of the label that its picture got or lost by it),
-- user_name (null: nobody signed), created_at; oldest first.
select
    decision_changes.from_status,
    decision_changes.from_reason,
    decision_changes.to_status,
    decision_changes.to_reason,
    decision_changes.cause,
    decision_changes.detail,
    labels.name as label_name,
    users.display_name as user_name,
    decision_changes.created_at
from decision_changes
left join image_labels on image_labels.id = decision_changes.image_label_id
left join labels on labels.id = image_labels.label_id
left join users on users.id = decision_changes.user_id
where decision_changes.submission_id = :submission_id
order by decision_changes.id
