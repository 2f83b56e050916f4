-- Some pictures from all over a dataset version, evenly by position: it goes by label, so that they show many of its labels.
-- Pictures that nobody may see any more are left out; the version keeps them.
-- Parameters: version_id, limit.
-- Columns: those of gallery; under the version's own labels, by position.
with sampled as (
    select distinct (place * dataset_versions.image_count / :limit) as position
    from dataset_versions
    cross join generate_series(0, :limit - 1) as place
    where dataset_versions.id = :version_id
)
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    images.picture_key,
    images.thumbnail_key,
    images.width_px,
    images.height_px
from sampled
join dataset_items on dataset_items.version_id = :version_id and dataset_items.position = sampled.position
join images on images.id = dataset_items.image_id
join labels on labels.id = dataset_items.label_id
where
    exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    )
order by dataset_items.position
