-- How much training does an account ask for? What counts against its quota.
-- Parameters: user_id.
-- Columns: open_runs (that have not ended), minutes (of training in runs that were under way within the last 24 hours).
select
    count(*) filter (where finished_at is null) as open_runs,
    coalesce(
        sum(
            spent_s
            + case when status = 'running' then coalesce(extract(epoch from clock_timestamp() - taken_at), 0) else 0 end
        ) / 60,
        0
    ) as minutes
from training_runs
where requested_by = :user_id and (finished_at is null or finished_at > now() - interval '24 hours')
