"""What operators do with accounts of others. Each deed is in the history of the account, with who did it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.users import User, change_role, create_user, set_active, user_of
from deep_images_hub.errors import ConflictError, ForbiddenError, InvalidInputError

# What accounts can be asked for by, beside a role.
STATES = ("open", "closed", "deleted", "never")


@dataclass(frozen=True)
class FoundUser:
    """An account in a list. id: hand over a page's last one as `before_id` to read on; can_sign_in: it has a password."""

    id: int
    email: str
    display_name: str
    role: str
    is_active: bool
    is_deleted: bool
    can_sign_in: bool
    created_at: datetime


def find_users(
    connection: Connection,
    *,
    beginning: str = "",
    role: str | None = None,
    state: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[FoundUser]:
    """Return accounts, newest first.

    Args:
        beginning: of an address or a name, in any case; empty: all.
        role: one of `accounts.ROLES`; None: any.
        state: `open`, `closed` (and not deleted), `deleted`, or `never`: open, and without a password; None: any.
    """
    rows = connection.execute(
        load_query("users_found"),
        {"pattern": _pattern(beginning), "role": role, "state": state, "before_id": before_id, "limit": limit},
    )
    return [FoundUser(**row._mapping) for row in rows]


def invite(connection: Connection, *, operator_id: int, email: str, display_name: str, role: str) -> User:
    """Make an account for somebody, and send them a link that they choose a password with.

    Raises:
        InvalidInputError: the address, the name or the role cannot be used.
        ConflictError: the address has an account.
    """
    user = create_user(connection, email=email, display_name=display_name, role=role, made_by=operator_id)
    ask_mail(connection, purpose="invitation", email=user.email)
    return user


def grant_role(connection: Connection, *, operator_id: int, user_id: int, role: str) -> User:
    """Give an account of somebody else another role.

    Raises:
        InvalidInputError: it is none.
        ConflictError: the account was deleted. Else as `_locked`.
    """
    user = _locked(connection, operator_id=operator_id, user_id=user_id)
    if user.is_deleted:
        raise ConflictError("This account was deleted, and nobody has a role with it.")
    change_role(connection, user, role, changed_by=operator_id)
    return user_of(connection, user_id)


def set_account_active(connection: Connection, *, operator_id: int, user_id: int, is_active: bool) -> User:
    """Close an account of somebody else, or open it again. Raises as `_locked`."""
    user = _locked(connection, operator_id=operator_id, user_id=user_id)
    set_active(connection, user, is_active, changed_by=operator_id)
    return user_of(connection, user_id)


def held_to_delete(connection: Connection, *, decided_by: int | None, user_id: int) -> User:
    """Return an account that is to be deleted, held until the transaction ends.

    Args:
        decided_by: its owner, or an operator; None: whoever sits at the command line.

    Raises:
        NotFoundError: there is no such account.
        ForbiddenError: it is an operator's, and no other operator decides: a hub that has one keeps one. Else as `_locked`.
        ConflictError: it was deleted before.
    """
    if decided_by not in (user_id, None):
        user = _locked(connection, operator_id=decided_by, user_id=user_id)
    else:
        connection.execute(load_query("lock_users"), {"ids": [user_id]})
        user = user_of(connection, user_id)
        if user.may("operate"):
            raise ForbiddenError(
                "An operator's account is deleted by another operator, or once it has another role: so a hub keeps one."
            )
    if user.is_deleted:
        raise ConflictError("This account was deleted before.")
    return user


def send_link(connection: Connection, *, operator_id: int, user_id: int) -> User:
    """Send an account of somebody else a link for another password. Nobody but its owner sees the link.

    Raises:
        InvalidInputError: the account is closed. Else as `_locked`.
    """
    user = _locked(connection, operator_id=operator_id, user_id=user_id)
    if not user.is_active:
        raise InvalidInputError(f"The account of {user.display_name} is closed, and a link to it would not work. Open it first.")
    ask_mail(connection, purpose="invitation" if user.password_hash is None else "reset", email=user.email)
    return user


def _locked(connection: Connection, *, operator_id: int, user_id: int) -> User:
    """Return an account that an operator decides on, both held until the transaction ends.

    Nobody decides on their own account, and who is no operator any more decides nothing: of two operators who take each other's
    role at once, one stays. So a hub that has an operator keeps one.

    Raises:
        NotFoundError: there is no such account.
        ForbiddenError: it is the operator's own, or the operator is none any more.
    """
    connection.execute(load_query("lock_users"), {"ids": sorted({operator_id, user_id})})
    if operator_id == user_id:
        raise ForbiddenError("This is your own account. Ask another operator to decide on it.")
    if not user_of(connection, operator_id).may("operate"):
        raise ForbiddenError("Your account may not run the hub any more: another operator decided so a moment ago.")
    return user_of(connection, user_id)


def _pattern(beginning: str) -> str | None:
    """Return what LIKE takes for texts that begin so; None: any."""
    text = " ".join(beginning.lower().split())
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"{text}%" if text else None
