-- Which pictures does a recipe admit? Those of its labels, and single ones; every condition holds for both.
-- Parameters: label_codes (array), with_descendants, pictures and left_out (arrays of sha256), city (null: anywhere),
-- licences (array; empty: any), min_quality.
-- Columns: image_id, sha256, label_id, label_code, batch_key, duplicate_group (null: no near-duplicates), size_bytes (of the stored picture); by label code,
-- then sha256.
with wanted_labels as (
    select distinct label_closure.descendant_id as label_id
    from labels
    join label_closure on label_closure.ancestor_id = labels.id
    where labels.code = any(cast(:label_codes as text[])) and (:with_descendants or label_closure.depth = 0)
),
wanted as (
    select image_labels.image_id
    from wanted_labels
    join image_labels on image_labels.label_id = wanted_labels.label_id
    where image_labels.is_current and image_labels.label_set = 'main'
    union
    select images.id
    from images
    where images.sha256 = any(cast(:pictures as text[]))
)
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    batches.key as batch_key,
    duplicate_groups.group_id as duplicate_group,
    images.picture_size_bytes as size_bytes
from wanted
join images on images.id = wanted.image_id
join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
join labels on labels.id = image_labels.label_id
join batches on batches.id = images.batch_id
left join duplicate_groups on duplicate_groups.image_id = images.id
left join places on places.id = batches.place_id
where
    images.sha256 <> all(cast(:left_out as text[]))
    and images.quality_score >= :min_quality
    and (cast(:city as text) is null or lower(places.city) = lower(cast(:city as text)))
    and (cardinality(cast(:licences as text[])) = 0 or batches.licence = any(cast(:licences as text[])))
order by labels.code collate "C", images.sha256 collate "C"
