-- Under which licences and attributions did the pictures of a dataset version come?
-- Parameters: version_id.
-- Columns: licence, attribution (null: none asked for), image_count; by those.
select batches.licence, batches.attribution, count(*) as image_count
from dataset_items
join images on images.id = dataset_items.image_id
join batches on batches.id = images.batch_id
where dataset_items.version_id = :version_id
group by batches.licence, batches.attribution
order by batches.licence, batches.attribution collate "C" nulls first
