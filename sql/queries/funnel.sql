-- What became of everything that was sent? submitted = pending + accepted + rejected by reason + in review by reason.
-- Parameters: none.
-- Columns: status, reason (null but for rejected and review), submissions.
select 'pending' as status, null as reason, coalesce(sum(submitted_count), 0) as submissions
from batches
where status = 'pending'
union all
select 'accepted', null, coalesce(sum(accepted_count), 0)
from batches
where status = 'closed'
union all
select status, reason, count(*)
from submissions
where reason is not null
group by status, reason
order by status, reason
