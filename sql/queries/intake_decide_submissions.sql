-- Write down what became of each submission of some batches. Accepted is the photograph that a picture was made of; others with the same
-- bytes are duplicates of it, wherever it came from and whatever became of it. Rejected ones that decode keep their picture too.
-- Parameters: attempt, batch_ids (array).
-- Columns: batch_id; accepted, rejected: how many submissions of it.
with decisions as (
    select distinct on (staged.submission_id)
        staged.submission_id,
        case
            when staged.status = 'accepted' and images.original_key = submissions.object_key then 'accepted'
            else 'rejected'
        end as status,
        case
            when images.original_key <> submissions.object_key then 'exact_duplicates'
            when staged.status = 'rejected' then staged.reason
        end as reason,
        images.id as image_id
    from staged_decisions as staged
    join submissions on submissions.id = staged.submission_id
    left join images on images.sha256 = staged.sha256 and staged.picture_key is not null
    where staged.attempt = :attempt and staged.batch_id = any(:batch_ids)
    order by staged.submission_id
),
decided as (
    update submissions
    set status = decisions.status, reason = decisions.reason, image_id = decisions.image_id, decided_at = now()
    from decisions
    where submissions.id = decisions.submission_id
    returning submissions.batch_id, submissions.status
)
select
    batch_id,
    count(*) filter (where status = 'accepted') as accepted,
    count(*) filter (where status = 'rejected') as rejected
from decided
group by batch_id
