-- How often did a run fail in a way since it last got further, by an epoch that no earlier try had reached? The try that got there, and
-- failed then, counts.
-- Parameters: run_id, failure.
-- Columns: failures.
with first_reached as (
    select min(attempt) as attempt
    from training_events
    where run_id = :run_id and stage in ('train', 'fine_tune', 'rest')
    group by stage, done
)
select count(*) as failures
from training_changes
where run_id = :run_id and failure = :failure and attempt >= (select coalesce(max(attempt), 0) from first_reached)
