-- How long do runs take that trained a network in a way, for each picture of their dataset? By the latest that succeeded.
-- Parameters: none.
-- Columns: backbone, method, runs (that it rests on), seconds_per_image (their median).
select
    latest.backbone,
    latest.method,
    count(*) as runs,
    percentile_cont(0.5) within group (order by latest.spent_s / latest.image_count) as seconds_per_image
from (
    select training_runs.backbone, training_runs.method, training_runs.spent_s, dataset_versions.image_count
    from training_runs
    join dataset_versions on dataset_versions.id = training_runs.version_id
    where training_runs.status = 'succeeded' and training_runs.spent_s > 0
    order by training_runs.id desc
    limit 200
) as latest
group by latest.backbone, latest.method
