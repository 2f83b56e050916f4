-- Which e-mail that waits is next? It is being sent from now on; what others take at this moment is left to them.
-- Parameters: none.
-- Columns: those of AccountMail; no row: none waits.
update account_mails
set status = 'sending'
where id = (select id from account_mails where status = 'waiting' order by id limit 1 for update skip locked)
returning id, purpose, email, user_id, display_name, role
