-- Which accounts have an address or a name that begins like this, newest first?
-- Parameters: pattern (for LIKE, in lower case; null: any), role (null: any), state (open; closed, and not deleted; deleted; never: open and without a
-- password; null: any), before_id (null: from the newest on), limit.
-- Columns: those of FoundUser.
select
    id,
    email,
    display_name,
    role,
    is_active,
    deleted_at is not null as is_deleted,
    password_hash is not null as can_sign_in,
    created_at
from users
where
    (cast(:pattern as text) is null or email like :pattern or lower(display_name) like :pattern)
    and (cast(:role as text) is null or role = :role)
    and (
        cast(:state as text) is null
        or (:state = 'open' and is_active)
        or (:state = 'closed' and not is_active and deleted_at is null)
        or (:state = 'deleted' and deleted_at is not null)
        or (:state = 'never' and is_active and password_hash is null)
    )
    and (cast(:before_id as bigint) is null or id < :before_id)
order by id desc
limit :limit
