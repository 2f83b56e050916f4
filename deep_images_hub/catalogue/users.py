"""Accounts. Who may do what is in `accounts`; sessions are the portal's."""

import re
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.accounts import MIN_PASSWORD_LENGTH, PERMISSIONS, ROLES, hash_password
from deep_images_hub.catalogue.tables import users
from deep_images_hub.errors import ConflictError, InvalidInputError

MAX_NAME_LENGTH = 200

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COLUMNS = (users.c.id, users.c.email, users.c.display_name, users.c.role, users.c.is_active, users.c.password_hash)


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
    """

    id: int
    email: str
    display_name: str
    role: str
    is_active: bool
    password_hash: str | None = field(repr=False)

    def may(self, permission: str) -> bool:
        """Tell whether the account is active and its role has a permission of `accounts.PERMISSIONS`."""
        return self.is_active and permission in PERMISSIONS[self.role]


def create_user(connection: Connection, *, email: str, display_name: str, role: str, password: str | None = None) -> User:
    """Make an account; without a password nobody can sign in to it.

    Raises:
        InvalidInputError: the e-mail address, the name, the role or the password cannot be used.
        ConflictError: the address has an account.
    """
    _check_role(role)
    row = connection.execute(
        insert(users)
        .values(
            email=_clean_email(email),
            display_name=_clean_name(display_name),
            role=role,
            password_hash=None if password is None else _hash(password),
        )
        .on_conflict_do_nothing(index_elements=[users.c.email])
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError(f"{_clean_email(email)} has an account already. Sign in, or choose another address.")
    return User(**row._mapping)


def change_user(connection: Connection, user_id: int, *, role: str | None = None, password: str | None = None) -> None:
    """Give an account another role or password; None leaves it. Sessions under the old password end.

    Raises:
        InvalidInputError: the role or the password cannot be used.
    """
    values = {}
    if role is not None:
        _check_role(role)
        values["role"] = role
    if password is not None:
        values["password_hash"] = _hash(password)
    if values:
        connection.execute(update(users).where(users.c.id == user_id).values(values))


def ensure_supplier(connection: Connection, *, email: str, display_name: str) -> int:
    """Return the id of the account with this address, making one of a supplier who cannot sign in when there is none."""
    cleaned = _clean_email(email)
    connection.execute(
        insert(users)
        .values(email=cleaned, display_name=_clean_name(display_name), role="supplier")
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


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidInputError(f"{role!r} is no role. Expected one of: {', '.join(ROLES)}.")


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInputError(f"The password has {len(password)} characters. Expected at least {MIN_PASSWORD_LENGTH}.")
    return hash_password(password)


def _one(connection: Connection, condition: ColumnElement[bool]) -> User | None:
    row = connection.execute(select(*_COLUMNS).where(condition)).one_or_none()
    return None if row is None else User(**row._mapping)


def _clean_email(email: str) -> str:
    cleaned = email.strip().lower()
    if not _EMAIL.fullmatch(cleaned) or len(cleaned) > MAX_NAME_LENGTH:
        raise InvalidInputError(f"{email[:MAX_NAME_LENGTH]!r} is no e-mail address. Expected name@host.")
    return cleaned


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MAX_NAME_LENGTH:
        raise InvalidInputError(
            f"The name {name[:MAX_NAME_LENGTH]!r} cannot be shown. Expected 1 to {MAX_NAME_LENGTH} characters."
        )
    return cleaned
