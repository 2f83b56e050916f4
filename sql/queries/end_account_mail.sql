-- Write down what became of an e-mail that was being sent. One that waits again, or never arrives, leaves no link behind. One that would
-- wait again does so no longer where its link was made useless meanwhile, or after a day.
-- Parameters: id, status, error (or null).
-- Columns: none.
update account_mails
set
    status = case
        when :status = 'waiting' and used_at is not null then 'needless'
        when :status = 'waiting' and created_at < now() - interval '1 day' then 'refused'
        else :status
    end,
    last_error = :error,
    token_sha256 = case when :status in ('sent', 'sending') then token_sha256 end,
    expires_at = case when :status in ('sent', 'sending') then expires_at end
where id = :id and status = 'sending'
