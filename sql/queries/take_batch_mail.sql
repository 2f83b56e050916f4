-- Take the e-mail that waits and was tried least, so that one that cannot be sent does not stand before all others. It counts as being
-- sent from here on, and nobody else takes it.
-- Parameters: none.
-- Columns: batch_id; no row where none waits.
update batch_mails
set status = 'sending', attempts = attempts + 1
where
    batch_id = (
        select batch_id
        from batch_mails
        where status = 'waiting'
        order by attempts, batch_id
        limit 1
        for update skip locked
    )
returning batch_id
