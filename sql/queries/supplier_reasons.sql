-- Why was what somebody sent last refused, or put into review? Of the latest batches that hold some photographs together, so that it
-- takes the same time however much was sent before.
-- Parameters: supplier_id, batches and photographs (how many are looked at, at most).
-- Columns: status, reason, submissions; the commonest first.
with latest as (
    select id, submitted_count, sum(submitted_count) over (order by submitted_at desc, id desc) as so_far
    from (
        select id, submitted_count, submitted_at
        from batches
        where supplier_id = :supplier_id
        order by submitted_at desc, id desc
        limit :batches
    ) as newest
)

select submissions.status, submissions.reason, count(*) as submissions
from latest
join submissions on submissions.batch_id = latest.id
where latest.so_far - latest.submitted_count < :photographs and submissions.reason is not null
group by submissions.status, submissions.reason
order by submissions desc, submissions.reason
