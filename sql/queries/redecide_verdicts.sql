-- Judge the scores of a check by another threshold: a newer verdict wherever the one in force was judged by a different one. The batches
-- must be locked already.
-- Parameters: redecision_id, check_name, threshold (0..1), first_batch_id, last_batch_id.
-- Columns: none.
insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome, detail, redecision_id)
select
    submission_id,
    check_name,
    check_version,
    score,
    cast(:threshold as real),
    case when score < cast(:threshold as real) then 'fail' else 'pass' end,
    detail,
    :redecision_id
from (
    select distinct on (verdicts.submission_id) verdicts.*
    from submissions
    join verdicts on verdicts.submission_id = submissions.id and verdicts.check_name = :check_name
    where submissions.batch_id between :first_batch_id and :last_batch_id
    order by verdicts.submission_id, verdicts.id desc
) as in_force
where score is not null and threshold is distinct from cast(:threshold as real)
order by submission_id
