-- The run that is next: of the account with the fewest runs under way, the oldest. Locked; one that somebody else is just taking
-- is passed over.
-- Parameters: run_id (this run and no other; null: any).
-- Columns: id, status.
with under_way as (
    select requested_by, count(*) as runs
    from training_runs
    where status = 'running'
    group by requested_by
)
select training_runs.id, training_runs.status
from training_runs
left join under_way on under_way.requested_by is not distinct from training_runs.requested_by
where training_runs.status = 'queued'
    and (cast(:run_id as bigint) is null or training_runs.id = :run_id)
order by coalesce(under_way.runs, 0), training_runs.id
limit 1
for update of training_runs skip locked
