-- Forget windows that are over, a few at a time and none that somebody counts in at this moment.
-- Parameters: none.
-- Columns: none.
delete from attempts
where key in (select key from attempts where ends_at <= now() order by ends_at limit 100 for update skip locked)
