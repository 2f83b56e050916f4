-- Forget e-mails that were asked for a month ago, a few at a time.
-- Parameters: none.
-- Columns: none.
delete from account_mails
where id in (
    select id from account_mails where created_at < now() - interval '30 days' order by created_at limit 100 for update skip locked
)
