-- How many objects does the catalogue name in each area of the store, but for those of decisions that wait to be merged?
-- Parameters: none.
-- Columns: area, names; by area.
select 'exports/' as area, count(*) as names from kept_files where kept_at is not null and not is_forgotten
union all
select 'images/', count(*) from images
union all
select
    'landing/',
    (select count(*) from submissions)
    + (select count(*) from batches)
    + (select count(*) from upload_files where upload_files.object_key is not null)
union all
select 'models/', count(*) from model_files
union all
select 'thumbnails/', count(*) from images
union all
select 'uploads/', count(*) from upload_parts
order by area
