-- Which submissions are not yet what the network's verdict makes of them? Accepted ones that it doubts, and those that it had put into
-- review and doubts no longer. Its newest verdict is in force. A decision that came after it, or an operator's, stands.
-- Parameters: limit.
-- Columns: submission_id, is_doubted; by submission_id.
with contradictory as (
    select distinct verdicts.submission_id
    from verdicts
    join submissions on submissions.id = verdicts.submission_id and submissions.status = 'accepted'
    where verdicts.check_name = 'label_agreement' and verdicts.outcome = 'fail'
    union all
    select submissions.id
    from submissions
    where submissions.status = 'review' and submissions.reason = 'label_agreement'
)
select submissions.id as submission_id, in_force.outcome = 'fail' as is_doubted
from contradictory
join submissions on submissions.id = contradictory.submission_id
cross join lateral (
    select verdicts.outcome, verdicts.created_at
    from verdicts
    where verdicts.submission_id = submissions.id and verdicts.check_name = 'label_agreement'
    order by verdicts.id desc
    limit 1
) as in_force
left join lateral (
    select decision_changes.cause, decision_changes.created_at
    from decision_changes
    where decision_changes.submission_id = submissions.id
    order by decision_changes.id desc
    limit 1
) as last_change on true
where
    (in_force.outcome = 'fail') = (submissions.status = 'accepted')
    and (last_change.cause is null or (last_change.cause <> 'operator' and last_change.created_at < in_force.created_at))
order by submissions.id
limit :limit
