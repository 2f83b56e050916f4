-- The run that is next: of the account with the fewest runs under way; of those, with the fewest minutes of training in the last 24
-- hours; of those, the oldest. Locked; one that somebody else is just taking is passed over, and so is one that waits for another try.
-- Parameters: run_id (this run and no other, even before its time; null: any).
-- Columns: id, status.
with of_account as (
    select
        requested_by,
        count(*) filter (where status = 'running') as under_way,
        floor(
            sum(
                spent_s
                + case when status = 'running' then coalesce(extract(epoch from clock_timestamp() - taken_at), 0) else 0 end
            ) / 60
        ) as minutes
    from training_runs
    where finished_at is null or finished_at > now() - interval '24 hours'
    group by requested_by
)
select training_runs.id, training_runs.status
from training_runs
join of_account on of_account.requested_by is not distinct from training_runs.requested_by
where
    training_runs.status = 'queued'
    and (
        training_runs.id = cast(:run_id as bigint)
        or (cast(:run_id as bigint) is null and (training_runs.not_before is null or training_runs.not_before <= clock_timestamp()))
    )
order by of_account.under_way, of_account.minutes, training_runs.id
limit 1
for update of training_runs skip locked
