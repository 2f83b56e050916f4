"""Links that came by e-mail: each works once, for some time, and proves that whoever has it reads the mail of its address."""

from sqlalchemy import Connection

from deep_images_hub.catalogue.account_mails import AccountMail, ask_mail, token_sha256
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.users import (
    User,
    change_email,
    change_name,
    change_password,
    change_role,
    create_user,
    user_by_email,
    user_of,
)
from deep_images_hub.errors import NotFoundError

# What accounts are that a batch's manifest made for its supplier: they become whatever their owner chooses at sign-up.
_ROLE_OF_MANIFESTS = "supplier"


def open_link(connection: Connection, token: str) -> AccountMail:
    """Return what a link is for, and change nothing: mail programs look at links too. Raises NotFoundError: it does not work."""
    row = connection.execute(load_query("open_link"), {"token_sha256": token_sha256(token)}).one_or_none()
    if row is None:
        raise NotFoundError(_OVER)
    return AccountMail(**row._mapping)


def choose_password(connection: Connection, token: str, password: str) -> User:
    """Use a link to give an account its password; one of sign-up makes the account where there is none.

    Raises:
        NotFoundError: the link does not work, or is for something else.
        InvalidInputError: the password cannot be used; roll back, and the link still works.
    """
    link = _used(connection, token)
    if link.purpose == "new_address":
        raise NotFoundError(_OVER)
    owner = user_by_email(connection, link.email)
    if link.purpose == "sign_up":
        return _joined(connection, link, owner, password)
    if owner is None or not owner.is_active:
        raise NotFoundError(_OVER)
    changed = change_password(connection, owner, password, changed_by=owner.id)
    if owner.password_hash is not None:
        ask_mail(connection, purpose="password_changed", email=owner.email)
    return changed


def confirm_address(connection: Connection, token: str) -> User:
    """Use a link to give an account the address that the link went to; the old one is told.

    Raises:
        NotFoundError: the link does not work, or is for something else.
        ConflictError: the address has got an account of its own meanwhile.
    """
    link = _used(connection, token)
    if link.purpose != "new_address" or link.user_id is None:
        raise NotFoundError(_OVER)
    user = user_of(connection, link.user_id)
    if not user.is_active:
        raise NotFoundError(_OVER)
    change_email(connection, user, link.email, changed_by=user.id)
    ask_mail(connection, purpose="address_changed", email=user.email, display_name=user.display_name)
    return user_of(connection, user.id)


_OVER = "This link does not work: it was used before, is too old, or was cut off on its way. Ask for a new one."


def _used(connection: Connection, token: str) -> AccountMail:
    row = connection.execute(load_query("use_link"), {"token_sha256": token_sha256(token)}).one_or_none()
    if row is None:
        raise NotFoundError(_OVER)
    return AccountMail(**row._mapping)


def _joined(connection: Connection, link: AccountMail, owner: User | None, password: str) -> User:
    name, role = link.display_name or link.email, link.role or _ROLE_OF_MANIFESTS
    if owner is None:
        return create_user(connection, email=link.email, display_name=name, role=role, password=password, is_own_doing=True)
    if not owner.is_active or owner.password_hash is not None:
        raise NotFoundError(_OVER)
    change_name(connection, owner, name, changed_by=owner.id)
    if owner.role == _ROLE_OF_MANIFESTS:
        change_role(connection, owner, role, changed_by=owner.id)
    return change_password(connection, owner, password, changed_by=owner.id)
