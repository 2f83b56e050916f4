-- Which link has this token, as long as it works?
-- Parameters: token_sha256.
-- Columns: those of AccountMail; no row: there is none, it was used, or it is too old.
select id, purpose, email, user_id, display_name, role
from account_mails
where token_sha256 = :token_sha256 and used_at is null and expires_at > now()
