-- Which link has this token, as long as it works? It works no longer from now on. Of two who use it at once, one does.
-- Parameters: token_sha256.
-- Columns: those of AccountMail; no row: there is none, it was used, or it is too old.
update account_mails
set used_at = now()
where token_sha256 = :token_sha256 and used_at is null and expires_at > now()
returning id, purpose, email, user_id, display_name, role
