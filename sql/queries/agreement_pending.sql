-- Which pictures has the network no opinion of yet? Accepted ones with features and without a verdict. Asked again: all accepted ones,
-- and those that are in review because of it, that have no verdict of this redecision and that no operator decided on last.
-- Parameters: model, check_version, redecision_id (null: not asked again), after_id (submission), limit.
-- Columns: submission_id, image_id, sha256, label_id, batch_id, batch_key, duplicate_group (its own id where it has no
-- near-duplicates); by submission_id.
select
    submissions.id as submission_id,
    images.id as image_id,
    images.sha256,
    coalesce(image_labels.label_id, batches.label_id) as label_id,
    images.batch_id,
    batches.key as batch_key,
    coalesce(duplicate_groups.group_id, images.id) as duplicate_group
from submissions
join images on images.id = submissions.image_id and images.original_key = submissions.object_key
join batches on batches.id = submissions.batch_id
left join duplicate_groups on duplicate_groups.image_id = images.id
left join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
where
    submissions.id > :after_id
    and (
        submissions.status = 'accepted'
        or (
            submissions.status = 'review'
            and submissions.reason = 'label_agreement'
            and cast(:redecision_id as bigint) is not null
        )
    )
    and exists (select from embeddings where embeddings.image_id = images.id and embeddings.model = :model)
    and not exists (
        select from verdicts
        where
            verdicts.submission_id = submissions.id
            and verdicts.check_name = 'label_agreement'
            and verdicts.check_version = :check_version
            and verdicts.redecision_id is not distinct from coalesce(cast(:redecision_id as bigint), verdicts.redecision_id)
    )
    and (
        cast(:redecision_id as bigint) is null
        or coalesce(
            (
                select decision_changes.cause <> 'operator'
                from decision_changes
                where decision_changes.submission_id = submissions.id
                order by decision_changes.id desc
                limit 1
            ),
            true
        )
    )
order by submissions.id
limit :limit
