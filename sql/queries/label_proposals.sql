-- Labels that were proposed: those that wait for an operator, oldest first, or those of one person, newest first.
-- Parameters: user_id (null: all that wait, of everybody), after_id (null: from the start; of one person: before it), limit.
-- Columns: id, user_id, user_name, name, parent_id, parent_name, parent_code (null: none was named), note, target_images, status, label_id,
-- label_name (what it became; null: nothing yet), answer, created_at.
select
    label_proposals.id,
    label_proposals.user_id,
    users.display_name as user_name,
    label_proposals.name,
    label_proposals.parent_id,
    parents.name as parent_name,
    parents.code as parent_code,
    label_proposals.note,
    label_proposals.target_images,
    label_proposals.status,
    label_proposals.label_id,
    labels.name as label_name,
    label_proposals.answer,
    label_proposals.created_at
from label_proposals
join users on users.id = label_proposals.user_id
left join labels as parents on parents.id = label_proposals.parent_id
left join labels on labels.id = label_proposals.label_id
where
    case
        when cast(:user_id as bigint) is null
            then label_proposals.status = 'waiting' and label_proposals.id > coalesce(cast(:after_id as bigint), 0)
        else
            label_proposals.user_id = cast(:user_id as bigint)
            and label_proposals.id < coalesce(cast(:after_id as bigint), 9223372036854775807)
    end
order by
    case when cast(:user_id as bigint) is null then label_proposals.id else -label_proposals.id end
limit :limit
