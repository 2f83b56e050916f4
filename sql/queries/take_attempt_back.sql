-- Count an attempt no longer.
-- Parameters: key.
-- Columns: none.
update attempts
set attempt_count = attempt_count - 1
where key = :key and attempt_count > 0
