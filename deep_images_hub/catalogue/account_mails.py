"""E-mails to the owners of accounts: written down when they are asked for, made and sent a moment later, beside the request.

    waiting ──► sending ──► sent
       ▲           ├──────► needless     there is no such account, or nothing to say: known only now
       │           ├──────► refused      for good: the server will never take it
       └───────────┘                     not now: the server is away

Whoever asks causes the same work whether or not an address has an account; what is to be said to it is found out afterwards. The
token of a link is made when its e-mail is, and only its hash is written down.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from deep_images_hub.account_messages import Letter
from deep_images_hub.accounts import LINK_PURPOSES
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.users import User, check_role, clean_email, clean_name, user_by_email

# How long a link works, by what it is for.
LIFETIMES = {
    "sign_up": timedelta(days=1),
    "invitation": timedelta(days=7),
    "reset": timedelta(hours=1),
    "new_address": timedelta(days=1),
}
# How long one works that an operator hands over.
HANDED_LIFETIME = timedelta(days=1)
_TOKEN_BYTES = 32
_MAX_ERROR_LENGTH = 500


@dataclass(frozen=True)
class AccountMail:
    """An e-mail that was asked for. user_id: whose address it is to become, else None; name and role: as chosen at sign-up."""

    id: int
    purpose: str
    email: str
    user_id: int | None
    display_name: str | None
    role: str | None


def ask_mail(
    connection: Connection,
    *,
    purpose: str,
    email: str,
    user_id: int | None = None,
    display_name: str | None = None,
    role: str | None = None,
) -> None:
    """Write down that an e-mail is to be sent; what was asked for long ago is forgotten.

    Args:
        purpose: one of `accounts.MAIL_PURPOSES`.
        user_id: for `new_address` alone: the account whose address it is to become.
        display_name, role: for `sign_up` alone.

    Raises:
        InvalidInputError: the address, the name or the role cannot be used.
    """
    if role is not None:
        check_role(role)
    connection.execute(load_query("forget_account_mails"))
    connection.execute(
        text(
            "insert into account_mails (purpose, email, user_id, display_name, role)"
            " values (:purpose, :email, :user_id, :display_name, :role)"
        ),
        {
            "purpose": purpose,
            "email": clean_email(email),
            "user_id": user_id,
            "display_name": None if display_name is None else clean_name(display_name),
            "role": role,
        },
    )


def take_account_mail(connection: Connection, *, except_ids: Collection[int] = ()) -> AccountMail | None:
    """Take an e-mail that waits, and is none of some; None: none does. Commit before it is handed over."""
    row = connection.execute(load_query("take_account_mail"), {"except_ids": list(except_ids)}).one_or_none()
    return None if row is None else AccountMail(**row._mapping)


def letter_for(connection: Connection, mail: AccountMail) -> Letter | None:
    """Find out what is to be said to an address, and make its link where it needs one. None: nothing."""
    owner = user_by_email(connection, mail.email)
    kind = _kind_of(mail, owner)
    if kind is None:
        return None
    # Whoever signs up may give somebody else's address: what they typed as a name is not said to it by us.
    given_name = None if mail.purpose == "sign_up" else mail.display_name
    name = owner.display_name if owner is not None else given_name
    token = _make_link(connection, mail, lifetime=LIFETIMES[mail.purpose]) if kind in LINK_PURPOSES else None
    return Letter(kind=kind, email=mail.email, name=name, token=token)


def make_handed_link(connection: Connection, *, email: str) -> str:
    """Return the token of a new link for another password, for somebody who is handed it and needs no e-mail. Works for a day."""
    row = connection.execute(
        text(
            "insert into account_mails (purpose, email, status) values ('reset', :email, 'needless')"
            " returning id, purpose, email, user_id, display_name, role"
        ),
        {"email": clean_email(email)},
    ).one()
    return _make_link(connection, AccountMail(**row._mapping), lifetime=HANDED_LIFETIME)


def end_mail(connection: Connection, mail_id: int, status: str, error: str | None = None) -> None:
    """Write down what became of an e-mail that was taken: `sent`, `needless`, `refused`, `sending` (perhaps it arrived).

    `waiting` lets it wait for another time, a day at most; its link is made anew then. One whose link was made useless meanwhile
    is needless.
    """
    connection.execute(
        load_query("end_account_mail"),
        {"id": mail_id, "status": status, "error": error and error[:_MAX_ERROR_LENGTH]},
    )


def token_sha256(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _make_link(connection: Connection, mail: AccountMail, *, lifetime: timedelta) -> str:
    """Make a link, and return its token: the only time that anybody has it."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    connection.execute(
        text("update account_mails set token_sha256 = :token_sha256, expires_at = now() + :lifetime where id = :id"),
        {"id": mail.id, "token_sha256": token_sha256(token), "lifetime": lifetime},
    )
    return token


def _kind_of(mail: AccountMail, owner: User | None) -> str | None:
    """Return what is said to an address: a purpose of a link or a notice, `have_account` or `closed`; None: nothing."""
    if mail.purpose == "sign_up":
        if owner is not None and not owner.is_active:
            return "closed"
        return "sign_up" if owner is None or owner.password_hash is None else "have_account"
    if mail.purpose == "new_address":
        return "new_address" if owner is None else "have_account"
    if owner is None and mail.purpose in LINK_PURPOSES:
        return None
    if owner is not None and not owner.is_active:
        return "closed" if mail.purpose == "reset" else None
    return mail.purpose
