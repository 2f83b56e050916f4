-- Judge the scores of a check by another threshold: a newer verdict wherever the one in force was judged by a different one, or to another
-- outcome. The batches must be locked already.
-- Parameters: redecision_id, check_name, threshold (0..1), outcome_below (of lower scores), first_batch_id, last_batch_id.
-- Columns: none.
insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome, detail, redecision_id)
select
    in_force.submission_id,
    in_force.check_name,
    in_force.check_version,
    in_force.score,
    cast(:threshold as real),
    judged.outcome,
    in_force.detail,
    :redecision_id
from submissions
cross join lateral (
    select verdicts.*
    from verdicts
    where verdicts.submission_id = submissions.id and verdicts.check_name = :check_name
    order by verdicts.id desc
    limit 1
) as in_force
cross join lateral (
    select case when in_force.score < cast(:threshold as real) then cast(:outcome_below as text) else 'pass' end as outcome
) as judged
where
    submissions.batch_id between :first_batch_id and :last_batch_id
    and in_force.score is not null
    and (in_force.threshold, in_force.outcome) is distinct from (cast(:threshold as real), judged.outcome)
order by in_force.submission_id
