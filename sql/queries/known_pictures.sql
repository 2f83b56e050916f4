-- Which accepted pictures are others compared with? Those with the lowest sha256 of each label, which is as good as drawn.
-- Reads all current labels: for jobs, not for requests.
-- Parameters: model, max_pictures (of each label).
-- Columns: image_id, sha256, label_id, batch_id, batch_key, duplicate_group (its own id where it has no near-duplicates); by label_id,
-- then sha256.
with ranked as (
    select
        images.id as image_id,
        images.sha256,
        image_labels.label_id,
        images.batch_id,
        coalesce(duplicate_groups.group_id, images.id) as duplicate_group,
        row_number() over (partition by image_labels.label_id order by images.sha256) as place
    from image_labels
    join images on images.id = image_labels.image_id
    left join duplicate_groups on duplicate_groups.image_id = images.id
    where
        image_labels.is_current
        and image_labels.label_set = 'main'
        and exists (select from embeddings where embeddings.image_id = images.id and embeddings.model = :model)
)
select
    ranked.image_id,
    ranked.sha256,
    ranked.label_id,
    ranked.batch_id,
    batches.key as batch_key,
    ranked.duplicate_group
from ranked
join batches on batches.id = ranked.batch_id
where ranked.place <= :max_pictures
order by ranked.label_id, ranked.sha256
