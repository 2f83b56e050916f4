-- How many pictures does a dataset version have that another has not, and the other way round; how many changed?
-- Parameters: version_id, other_id (the one before).
-- Columns: added, removed, moved (to another split), relabelled; one row.
select
    count(*) filter (where before.image_id is null) as added,
    count(*) filter (where now.image_id is null) as removed,
    count(*) filter (where now.split <> before.split) as moved,
    count(*) filter (where now.label_id <> before.label_id) as relabelled
from (select image_id, split, label_id from dataset_items where version_id = :version_id) as now
full join (select image_id, split, label_id from dataset_items where version_id = :other_id) as before
    on before.image_id = now.image_id
