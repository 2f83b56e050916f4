-- What waits for somebody to look at it, by label as it was sent and by reason? Of the oldest pictures in review alone, so that a long
-- queue costs no more than a short one.
-- Parameters: limit (pictures that are counted).
-- Columns: label_code, label_name, reason, pictures; most pictures first.
with waiting as (
    select submissions.batch_id, submissions.reason
    from submissions
    where submissions.status = 'review'
    order by submissions.id
    limit :limit
)
select labels.code as label_code, labels.name as label_name, waiting.reason, count(*) as pictures
from waiting
join batches on batches.id = waiting.batch_id
join labels on labels.id = batches.label_id
group by labels.id, waiting.reason
order by pictures desc, labels.code, waiting.reason
