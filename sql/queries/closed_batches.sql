-- Closed batches in order of their ids, a page at a time.
-- Parameters: after_id, limit.
-- Columns: id, submitted_count.
select id, submitted_count
from batches
where status = 'closed' and id > :after_id
order by id
limit :limit
