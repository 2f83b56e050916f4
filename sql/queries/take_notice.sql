-- Take the notice that waits and was tried least, so that one that cannot be sent does not stand before all others. It counts as being
-- sent from here on, and nobody else takes it.
-- Parameters: none.
-- Columns: id; no row where none waits.
update notices
set status = 'sending', attempts = attempts + 1
where
    id = (
        select id
        from notices
        where status = 'waiting'
        order by attempts, id
        limit 1
        for update skip locked
    )
returning id
