-- What a notice is about, and to whom it goes.
-- Parameters: notice_id.
-- Columns: notice_id, to_email, to_name; of a demand label_name, label_id, city (null: of no place), images, target_images, has_asked;
-- of a proposal name, status, label_name, label_id, answer; of a training run run_id, dataset_name, images. What belongs to another is
-- null.
select
    notices.id as notice_id,
    users.email as to_email,
    users.display_name as to_name,
    labels.name as label_name,
    labels.id as label_id,
    places.city,
    coalesce(demands.met_images, dataset_versions.image_count) as images,
    demands.target_images,
    demands.user_id = notices.user_id as has_asked,
    label_proposals.name,
    label_proposals.status,
    label_proposals.answer,
    notices.run_id,
    dataset_versions.name as dataset_name
from notices
join users on users.id = notices.user_id
left join demands on demands.id = notices.demand_id
left join label_proposals on label_proposals.id = notices.proposal_id
left join training_runs on training_runs.id = notices.run_id
left join dataset_versions on dataset_versions.id = training_runs.version_id
left join labels on labels.id = coalesce(demands.label_id, label_proposals.label_id)
left join places on places.id = demands.place_id
where notices.id = :notice_id
