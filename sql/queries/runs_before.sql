-- How many runs of the queue are likely to be taken before one? As `next_queued_run` takes them: each account in turn, those first that
-- have fewest runs under way, then the oldest. Of runs that wait for another try all others go first.
-- Parameters: run_id.
-- Columns: runs; no row where the run is not queued.
with under_way as (
    select requested_by, count(*) as runs
    from training_runs
    where status = 'running'
    group by requested_by
),
places as (
    select
        training_runs.id,
        row_number() over (
            order by
                training_runs.not_before nulls first,
                coalesce(under_way.runs, 0) + training_runs.turn,
                training_runs.id
        ) as place
    from (
        select
            id,
            requested_by,
            case when not_before > clock_timestamp() then not_before end as not_before,
            row_number() over (partition by requested_by order by id) as turn
        from training_runs
        where status = 'queued'
    ) as training_runs
    left join under_way on under_way.requested_by is not distinct from training_runs.requested_by
)
select place - 1 as runs
from places
where id = :run_id
