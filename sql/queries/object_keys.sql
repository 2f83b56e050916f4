-- Which objects does the catalogue name in one area of the store?
-- Parameters: area (images/, landing/, models/ or thumbnails/).
-- Columns: key; in order of its UTF-8 bytes.
with names (area, key) as (
    select 'images/', picture_key from images
    union all
    select 'landing/', object_key from submissions
    union all
    select 'landing/', manifest_key from batches
    union all
    select 'models/', keras_key from trained_models
    union all
    select 'models/', onnx_key from trained_models
    union all
    select 'thumbnails/', thumbnail_key from images
)
select key
from names
where area = :area
order by key collate "C"
