-- Hold accounts until the transaction ends, always in the same order, so that two who hold some of the same wait and never deadlock.
-- Parameters: ids.
-- Columns: id.
select id
from users
where id = any(:ids)
order by id
for no key update
