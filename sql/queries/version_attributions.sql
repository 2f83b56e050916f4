-- Under which licences and attributions did the pictures of a dataset version, of a split or of a label in it, come?
-- Parameters: version_id, split (null: all), label_code (null: all).
-- Columns: licence, attribution (null: none asked for), image_count; by those.
select batches.licence, batches.attribution, sum(version_batches.image_count) as image_count
from version_batches
join batches on batches.id = version_batches.batch_id
where
    version_batches.version_id = :version_id
    and (cast(:split as text) is null or version_batches.split = :split)
    and (cast(:label_code as text) is null or version_batches.label_id = (select id from labels where code = :label_code))
group by batches.licence, batches.attribution
order by batches.licence collate "C", batches.attribution collate "C" nulls first
