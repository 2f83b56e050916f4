-- By what thresholds does a check judge now? Counts the newest verdicts of one check that have a score.
-- Parameters: check_name, threshold (0..1), outcome_below (of lower scores), first_batch_id and last_batch_id (null: no bound).
-- Columns: scored, judged_otherwise (by another threshold than this one, or to another outcome), lowest_threshold, highest_threshold (null: none).
with in_force as (
    select newest.score, newest.threshold, newest.outcome
    from submissions
    cross join lateral (
        select verdicts.score, verdicts.threshold, verdicts.outcome
        from verdicts
        where verdicts.submission_id = submissions.id and verdicts.check_name = :check_name
        order by verdicts.id desc
        limit 1
    ) as newest
    where
        submissions.batch_id >= coalesce(cast(:first_batch_id as bigint), 0)
        and submissions.batch_id <= coalesce(cast(:last_batch_id as bigint), 9223372036854775807)
)
select
    count(*) as scored,
    count(*) filter (
        where (threshold, outcome) is distinct from (
            cast(:threshold as real), case when score < cast(:threshold as real) then cast(:outcome_below as text) else 'pass' end
        )
    ) as judged_otherwise,
    min(threshold) as lowest_threshold,
    max(threshold) as highest_threshold
from in_force
where score is not null
