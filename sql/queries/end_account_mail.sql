-- Write down what became of an e-mail that was being sent. One that waits again, or never arrives, leaves no link behind.
-- Parameters: id, status, error (or null).
-- Columns: none.
update account_mails
set
    status = :status,
    last_error = :error,
    token_sha256 = case when :status in ('sent', 'sending') then token_sha256 end,
    expires_at = case when :status in ('sent', 'sending') then expires_at end
where id = :id and status = 'sending'
