-- How good are a batch's photographs? Of those that decode and are no copies: the quartiles of their quality scores, each of which is
-- the lowest score of a photograph's checks.
-- Parameters: batch_key.
-- Columns: pictures, lower_quartile, median, upper_quartile (0..1; null where there is no picture).
select
    count(images.id) as pictures,
    percentile_cont(0.25) within group (order by images.quality_score) as lower_quartile,
    percentile_cont(0.5) within group (order by images.quality_score) as median,
    percentile_cont(0.75) within group (order by images.quality_score) as upper_quartile
from batches
join images on images.batch_id = batches.id
where batches.key = :batch_key
