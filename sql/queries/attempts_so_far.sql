-- How many attempts has the window that is open?
-- Parameters: key.
-- Columns: attempt_count; no row: no window is open.
select attempt_count
from attempts
where key = :key and ends_at > now()
