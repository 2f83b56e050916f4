-- What did operators, and whoever sits at the command line, do to accounts of others? Newest first.
-- Parameters: before_id (null: from the newest on), limit.
-- Columns: those of AccountChange.
select
    account_changes.id,
    account_changes.user_id,
    users.display_name as user_name,
    account_changes.deed,
    account_changes.value_before,
    account_changes.value_after,
    account_changes.changed_by,
    changers.display_name as changed_by_name,
    account_changes.created_at
from account_changes
join users on users.id = account_changes.user_id
left join users as changers on changers.id = account_changes.changed_by
where
    account_changes.changed_by is distinct from account_changes.user_id
    and (cast(:before_id as bigint) is null or account_changes.id < :before_id)
order by account_changes.id desc
limit :limit
