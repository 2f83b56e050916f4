-- Which pictures of a dataset version, or of the versions that it patches, were taken down?
-- Parameters: version_id.
-- Columns: sha256, taken_down_at, is_own (the version itself has it; else one that it patches); by sha256.
with recursive chain (version_id) as (
    select cast(:version_id as bigint)
    union
    select dataset_versions.id
    from chain
    join dataset_versions on dataset_versions.patched_by = chain.version_id
)
select images.sha256, images.taken_down_at, bool_or(dataset_items.version_id = :version_id) as is_own
from images
join dataset_items on dataset_items.image_id = images.id
join chain on chain.version_id = dataset_items.version_id
where images.taken_down_at is not null
group by images.id
order by images.sha256 collate "C"
