-- Which e-mail that waits is next? It is being sent from now on; what others take at this moment is left to them.
-- Parameters: except_ids (array: e-mails that are left alone).
-- Columns: those of AccountMail; no row: none waits.
update account_mails
set status = 'sending'
where
    id = (
        select id
        from account_mails
        where status = 'waiting' and id <> all(cast(:except_ids as bigint[]))
        order by id
        limit 1
        for update skip locked
    )
returning id, purpose, email, user_id, display_name, role
