-- How many pictures of each label does each split of a dataset version have?
-- Parameters: version_id.
-- Columns: label_code, label_name, split, image_count; by label code, then split.
select labels.code as label_code, labels.name as label_name, dataset_items.split, count(*) as image_count
from dataset_items
join labels on labels.id = dataset_items.label_id
where dataset_items.version_id = :version_id
group by labels.id, dataset_items.split
order by labels.code collate "C", dataset_items.split
