"""Accounts: made, found, changed. Who may do what is in `accounts`; sessions are the portal's; every change is written down."""

import re
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from deep_images_hub.accounts import LINK_PURPOSES, PERMISSIONS, ROLES
from deep_images_hub.catalogue.account_changes import add_account_change
from deep_images_hub.catalogue.tables import users
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.passwords import check_password, hash_password

MAX_NAME_LENGTH = 200

_ADDRESS_TAKEN = "This address belongs to another account by now. Choose another one."
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COLUMNS = (
    users.c.id,
    users.c.email,
    users.c.display_name,
    users.c.role,
    users.c.is_active,
    users.c.password_hash,
    users.c.session_series,
    users.c.deleted_at.is_not(None).label("is_deleted"),
)


@dataclass(frozen=True)
class User:
    """An account.

    Attributes:
        id: its row.
        email: in lower case; unique.
        display_name: what others see.
        role: one of `accounts.ROLES`.
        is_active: False: may not sign in.
        password_hash: argon2id; None: cannot sign in.
        session_series: sessions of an earlier one have ended.
        is_deleted: its owner is forgotten here, and it stays closed for ever.
    """

    id: int
    email: str
    display_name: str
    role: str
    is_active: bool
    password_hash: str | None = field(repr=False)
    session_series: int
    is_deleted: bool

    def may(self, permission: str) -> bool:
        """Tell whether the account is active and its role has a permission of `accounts.PERMISSIONS`."""
        return self.is_active and permission in PERMISSIONS[self.role]


def create_user(
    connection: Connection,
    *,
    email: str,
    display_name: str,
    role: str,
    password: str | None = None,
    made_by: int | None = None,
    is_own_doing: bool = False,
) -> User:
    """Make an account; without a password nobody can sign in to it.

    Args:
        made_by: the operator who makes it; None: somebody at the command line, or a program.
        is_own_doing: its owner makes it, and nobody else.

    Raises:
        InvalidInputError: the e-mail address, the name, the role or the password cannot be used.
        ConflictError: the address has an account.
    """
    check_role(role)
    cleaned, name = clean_email(email), clean_name(display_name)
    row = connection.execute(
        insert(users)
        .values(
            email=cleaned,
            display_name=name,
            role=role,
            password_hash=None if password is None else _checked_hash(password, cleaned, name),
        )
        .on_conflict_do_nothing(index_elements=[users.c.email])
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError(f"{cleaned} has an account already. Sign in, or choose another address.")
    user = User(**row._mapping)
    add_account_change(
        connection, user_id=user.id, deed="made", value_after=role, changed_by=user.id if is_own_doing else made_by
    )
    return user


def ensure_supplier(connection: Connection, *, email: str, display_name: str) -> int:
    """Return the id of the account with this address, making one of a supplier who cannot sign in when there is none."""
    cleaned = clean_email(email)
    connection.execute(
        insert(users)
        .values(email=cleaned, display_name=clean_name(display_name), role="supplier")
        .on_conflict_do_nothing(index_elements=[users.c.email])
    )
    user_id: int = connection.execute(select(users.c.id).where(users.c.email == cleaned)).scalar_one()
    return user_id


def user_by_email(connection: Connection, email: str) -> User | None:
    """Return an account, whatever the case of the address; None when there is none."""
    return _one(connection, users.c.email == email.strip().lower())


def user_by_id(connection: Connection, user_id: int) -> User | None:
    """Return an account; None when there is none."""
    return _one(connection, users.c.id == user_id)


def change_role(connection: Connection, user: User, role: str, *, changed_by: int | None) -> None:
    """Give an account another role; the same one: nothing. Raises InvalidInputError when it is none."""
    check_role(role)
    if role != user.role:
        connection.execute(update(users).where(users.c.id == user.id).values(role=role))
        _note(connection, user, "role", changed_by, before=user.role, after=role)


def change_password(connection: Connection, user: User, password: str, *, changed_by: int | None) -> User:
    """Give an account another password. All its sessions end, and its links that are under way work no longer.

    Raises:
        InvalidInputError: the password cannot be used.
    """
    password_hash = _checked_hash(password, user.email, user.display_name)
    connection.execute(update(users).where(users.c.id == user.id).values(password_hash=password_hash))
    end_links(connection, user)
    _note(connection, user, "password", changed_by)
    return user_of(connection, user.id)


def change_name(connection: Connection, user: User, display_name: str, *, changed_by: int | None) -> None:
    """Give an account another name; the same one: nothing. Raises InvalidInputError when it cannot be shown."""
    name = clean_name(display_name)
    if name != user.display_name:
        connection.execute(update(users).where(users.c.id == user.id).values(display_name=name))
        _note(connection, user, "name", changed_by, before=user.display_name, after=name)


def change_email(connection: Connection, user: User, email: str, *, changed_by: int | None) -> None:
    """Give an account another address, which its owner has proved. Links that went to the old one work no longer.

    Raises:
        InvalidInputError: it is no address.
        ConflictError: another account has it; roll back.
    """
    cleaned = clean_email(email)
    other = user_by_email(connection, cleaned)
    if other is not None and other.id != user.id:
        raise ConflictError(_ADDRESS_TAKEN)
    end_links(connection, user)
    try:
        connection.execute(update(users).where(users.c.id == user.id).values(email=cleaned))
    except IntegrityError as error:  # another account got it in this moment
        raise ConflictError(_ADDRESS_TAKEN) from error
    _note(connection, user, "email", changed_by, before=user.email, after=cleaned)


def set_active(connection: Connection, user: User, is_active: bool, *, changed_by: int | None) -> None:
    """Close an account, which ends its sessions and links, or open it again. What it is already: nothing.

    Raises:
        ConflictError: it was deleted.
    """
    if user.is_deleted:
        raise ConflictError("This account was deleted: nobody knows any more whose it was, and it stays closed.")
    if is_active != user.is_active:
        connection.execute(
            update(users)
            .where(users.c.id == user.id)
            .values(is_active=is_active, session_series=users.c.session_series + (0 if is_active else 1))
        )
        end_links(connection, user)
        _note(connection, user, "reopened" if is_active else "closed", changed_by)


def end_sessions(connection: Connection, user: User, *, changed_by: int | None) -> None:
    """Sign an account out everywhere."""
    connection.execute(update(users).where(users.c.id == user.id).values(session_series=users.c.session_series + 1))
    _note(connection, user, "signed_out", changed_by)


def user_of(connection: Connection, user_id: int) -> User:
    """Return an account. Raises NotFoundError."""
    user = user_by_id(connection, user_id)
    if user is None:
        raise NotFoundError("There is no such account.")
    return user


def check_role(role: str) -> None:
    """Raise InvalidInputError unless it is one of `accounts.ROLES`."""
    if role not in ROLES:
        raise InvalidInputError(f"{role[:40]!r} is no role. Expected one of: {', '.join(ROLES)}.")


def clean_email(email: str) -> str:
    """Return an address as accounts have it: in lower case. Raises InvalidInputError."""
    cleaned = email.strip().lower()
    if not _EMAIL.fullmatch(cleaned) or len(cleaned) > MAX_NAME_LENGTH:
        raise InvalidInputError(f"{email[:MAX_NAME_LENGTH]!r} is no e-mail address. Expected name@host.")
    return cleaned


def clean_name(name: str) -> str:
    """Return a name as it is shown, on one line. Raises InvalidInputError."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MAX_NAME_LENGTH:
        raise InvalidInputError(
            f"The name {name[:MAX_NAME_LENGTH]!r} cannot be shown. Expected 1 to {MAX_NAME_LENGTH} characters."
        )
    return cleaned


def _checked_hash(password: str, email: str, name: str) -> str:
    check_password(password, owner_words=(email, name))
    return hash_password(password)


def _one(connection: Connection, condition: ColumnElement[bool]) -> User | None:
    row = connection.execute(select(*_COLUMNS).where(condition)).one_or_none()
    return None if row is None else User(**row._mapping)


def _note(
    connection: Connection, user: User, deed: str, changed_by: int | None, *, before: str | None = None, after: str | None = None
) -> None:
    add_account_change(connection, user_id=user.id, deed=deed, value_before=before, value_after=after, changed_by=changed_by)


def end_links(connection: Connection, user: User) -> None:
    """Make links useless that could still change an account: those to its address, and those that would change the address.

    Those too whose e-mail still waits: it would bring a link that is made only then.
    """
    connection.execute(
        text(
            "update account_mails set used_at = now(), status = case status when 'waiting' then 'needless' else status end"
            " where (email = :email or user_id = :id) and used_at is null"
            " and (token_sha256 is not null or status = 'waiting' and purpose = any(:purposes))"
        ),
        {"email": user.email, "id": user.id, "purposes": list(LINK_PURPOSES)},
    )
