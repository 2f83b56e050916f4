"""Accounts. Who may do what is in `accounts`; sessions are the portal's."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

from deep_images_hub.accounts import MIN_PASSWORD_LENGTH, ROLES, hash_password
from deep_images_hub.errors import ConflictError, InvalidInputError

MAX_NAME_LENGTH = 200

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COLUMNS = "id, email, display_name, role, is_active, password_hash"


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


def create_user(connection: Connection, *, email: str, display_name: str, role: str, password: str | None = None) -> User:
    """Make an account; without a password nobody can sign in to it.

    Raises:
        InvalidInputError: the e-mail address, the name, the role or the password cannot be used.
        ConflictError: the address has an account.
    """
    if role not in ROLES:
        raise InvalidInputError(f"{role!r} is no role. Expected one of: {', '.join(ROLES)}.")
    if password is not None and len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInputError(f"The password has {len(password)} characters. Expected at least {MIN_PASSWORD_LENGTH}.")
    row = connection.execute(
        text(
            "insert into users (email, display_name, role, password_hash) values (:email, :display_name, :role, :password_hash)"
            f" on conflict (email) do nothing returning {_COLUMNS}"
        ),
        {
            "email": _clean_email(email),
            "display_name": _clean_name(display_name),
            "role": role,
            "password_hash": None if password is None else hash_password(password),
        },
    ).one_or_none()
    if row is None:
        raise ConflictError(f"{_clean_email(email)} has an account already. Sign in, or choose another address.")
    return _user(row)


def ensure_supplier(connection: Connection, *, email: str, display_name: str) -> int:
    """Return the id of the account with this address, making one of a supplier who cannot sign in when there is none."""
    parameters = {"email": _clean_email(email), "display_name": _clean_name(display_name)}
    connection.execute(
        text(
            "insert into users (email, display_name, role) values (:email, :display_name, 'supplier') on conflict (email) do nothing"
        ),
        parameters,
    )
    user_id: int = connection.execute(text("select id from users where email = :email"), parameters).scalar_one()
    return user_id


def user_by_email(connection: Connection, email: str) -> User | None:
    """Return an account, whatever the case of the address; None when there is none."""
    return _one(connection, "email = :value", email.strip().lower())


def user_by_id(connection: Connection, user_id: int) -> User | None:
    """Return an account; None when there is none."""
    return _one(connection, "id = :value", user_id)


def _one(connection: Connection, condition: str, value: object) -> User | None:
    row = connection.execute(text(f"select {_COLUMNS} from users where {condition}"), {"value": value}).one_or_none()
    return None if row is None else _user(row)


def _user(row: Row[Any]) -> User:
    return User(**row._mapping)


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
