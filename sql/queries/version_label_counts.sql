-- How many pictures of each label does each split of a dataset version have?
-- Parameters: version_id.
-- Columns: label_code, label_name, split, image_count; by label code, then split.
select labels.code as label_code, labels.name as label_name, version_batches.split, sum(version_batches.image_count) as image_count
from version_batches
join labels on labels.id = version_batches.label_id
where version_batches.version_id = :version_id
group by labels.id, version_batches.split
order by labels.code collate "C", version_batches.split
