-- Judge the scores of a check by another threshold: a newer verdict wherever the one in force was judged by a different one. The batches
-- must be locked already.
-- Parameters: redecision_id, check_name, threshold (0..1), first_batch_id, last_batch_id.
-- Columns: none.
insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome, detail, redecision_id)
select
    in_force.submission_id,
    in_force.check_name,
    in_force.check_version,
    in_force.score,
    cast(:threshold as real),
    case when in_force.score < cast(:threshold as real) then 'fail' else 'pass' end,
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
where
    submissions.batch_id between :first_batch_id and :last_batch_id
    and in_force.score is not null
    and in_force.threshold is distinct from cast(:threshold as real)
order by in_force.submission_id
