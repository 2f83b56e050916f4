-- Count what each batch gave to a dataset version, when its pictures are written down: pages and downloads ask for it again and again.
-- Parameters: version_id.
-- Columns: none.
insert into version_batches (version_id, batch_id, label_id, split, image_count, first_taken_at, last_taken_at)
select
    dataset_items.version_id,
    images.batch_id,
    dataset_items.label_id,
    dataset_items.split,
    count(*),
    min(images.taken_at),
    max(images.taken_at)
from dataset_items
join images on images.id = dataset_items.image_id
where dataset_items.version_id = :version_id
group by dataset_items.version_id, images.batch_id, dataset_items.label_id, dataset_items.split
