-- What would another threshold of a check change? The submissions whose decision would be another one, from the scores of the ledger
-- alone: for each, the newest verdict of every check is in force, this check's outcome becomes what the threshold makes of its score,
-- and the first failing check in the order of reasons decides. Those that an operator decided on last keep that decision; they are
-- told apart.
-- By hand: docs/operating.md, "Moving a threshold".
-- Parameters: check_name, threshold (0..1), outcome_below (of lower scores: fail, or flag, which keeps), first_batch_id and
-- last_batch_id (null: no bound).
-- Columns: label_code, label_name, from_status, from_reason, to_status, to_reason, is_operators, submissions, submission_ids.
with reasons as (
    -- Those of verdicts.REASONS that are checks, in the order in which they count, and those that mean a look and no rejection.
    select
        array[
            'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light', 'low_information', 'blurry', 'grayscale',
            'label_agreement'
        ] as in_order,
        array['label_agreement'] as for_review
),
scored as (
    select
        submissions.id as submission_id,
        newest.outcome,
        newest.score,
        case when newest.score < cast(:threshold as real) then cast(:outcome_below as text) else 'pass' end as new_outcome
    from submissions
    cross join lateral (
        select verdicts.outcome, verdicts.score
        from verdicts
        where verdicts.submission_id = submissions.id and verdicts.check_name = :check_name
        order by verdicts.id desc
        limit 1
    ) as newest
    where
        submissions.batch_id >= coalesce(cast(:first_batch_id as bigint), 0)
        and submissions.batch_id <= coalesce(cast(:last_batch_id as bigint), 9223372036854775807)
),
judged as (
    select
        submissions.id as submission_id,
        submissions.batch_id,
        submissions.status as from_status,
        submissions.reason as from_reason,
        least(
            others.first_failed,
            case when scored.new_outcome = 'fail' then array_position(reasons.in_order, :check_name) end
        ) as first_failed,
        coalesce(last_change.cause = 'operator', false) as is_operators
    from scored
    cross join reasons
    join submissions on submissions.id = scored.submission_id and submissions.status <> 'pending'
    join images on images.id = submissions.image_id
    cross join lateral (
        select min(array_position(reasons.in_order, in_force.check_name)) as first_failed
        from (
            select distinct on (verdicts.check_name) verdicts.check_name, verdicts.outcome
            from verdicts
            where verdicts.submission_id = scored.submission_id and verdicts.check_name <> :check_name
            order by verdicts.check_name, verdicts.id desc
        ) as in_force
        where in_force.outcome = 'fail'
    ) as others
    left join lateral (
        select decision_changes.cause
        from decision_changes
        where decision_changes.submission_id = scored.submission_id
        order by decision_changes.id desc
        limit 1
    ) as last_change on true
    where scored.score is not null and scored.new_outcome <> scored.outcome
),
decided as (
    select
        judged.*,
        (reasons.in_order)[judged.first_failed] as to_reason,
        case
            when judged.first_failed is null then 'accepted'
            when (reasons.in_order)[judged.first_failed] = any(reasons.for_review) then 'review'
            else 'rejected'
        end as to_status
    from judged
    cross join reasons
)
select
    labels.code as label_code,
    labels.name as label_name,
    decided.from_status,
    decided.from_reason,
    decided.to_status,
    decided.to_reason,
    decided.is_operators,
    count(*) as submissions,
    array_agg(decided.submission_id order by decided.submission_id) as submission_ids
from decided
join batches on batches.id = decided.batch_id
join labels on labels.id = batches.label_id
where (decided.from_status, decided.from_reason) is distinct from (decided.to_status, decided.to_reason)
group by
    labels.code, labels.name, decided.from_status, decided.from_reason, decided.to_status, decided.to_reason, decided.is_operators
order by labels.code, decided.from_status, decided.from_reason, decided.to_status, decided.to_reason, decided.is_operators
