"""API tokens in the catalogue: making, listing and revoking them, and whose a token is that somebody shows."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, text, update

from deep_images_hub.api_tokens import (
    MAX_TOKENS,
    PREFIX_LENGTH,
    checked_lifetime,
    checked_name,
    checked_scopes,
    is_token,
    new_token,
    token_hash,
)
from deep_images_hub.catalogue.account_changes import add_account_change
from deep_images_hub.catalogue.tables import api_tokens
from deep_images_hub.catalogue.users import User, user_by_id
from deep_images_hub.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class ApiToken:
    """A token as its owner sees it again: everything but the token.

    Attributes:
        prefix: its first characters.
        scopes: some of `api_tokens.SCOPES`.
        expires_at: None: good until it is revoked.
        last_used_at: to the minute; None: never.
    """

    id: int
    user_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class ShownToken:
    """A token that a program shows, and whose it is. is_expired: by the catalogue's clock."""

    token: ApiToken
    user: User
    is_expired: bool


_COLUMNS = [api_tokens.c[field.name] for field in fields(ApiToken)]
_is_live = api_tokens.c.revoked_at.is_(None) & or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > func.now())


def create_token(
    connection: Connection, *, user: User, name: str, scopes: list[str], lifetime_days: int | None
) -> tuple[ApiToken, str]:
    """Make a token for an account, and return it with its text, which nobody can find out again.

    Raises:
        InvalidInputError: the name, the scopes or the lifetime cannot be used.
        ConflictError: the account has MAX_TOKENS that are good.
    """
    values = {"name": checked_name(name), "scopes": list(checked_scopes(scopes, role=user.role))}
    days = checked_lifetime(lifetime_days)
    # One after the other, so that two at once do not become one too many.
    connection.execute(text("select from users where id = :id for no key update"), {"id": user.id})
    live = live_tokens(connection, user_id=user.id)
    if live >= MAX_TOKENS:
        raise ConflictError(f"Your account has {live} tokens, and no more are possible. Revoke one that nothing uses.")
    token = new_token()
    row = connection.execute(
        insert(api_tokens)
        .values(
            **values,
            user_id=user.id,
            prefix=token[:PREFIX_LENGTH],
            token_hash=token_hash(token),
            expires_at=None if days is None else func.now() + func.make_interval(0, 0, 0, days),
        )
        .returning(*_COLUMNS)
    ).one()
    return _token(row._mapping), token


def live_tokens(connection: Connection, *, user_id: int) -> int:
    """Return how many tokens of an account are good."""
    live: int = connection.execute(
        select(func.count()).select_from(api_tokens).where(api_tokens.c.user_id == user_id, _is_live)
    ).scalar_one()
    return live


def tokens_of(connection: Connection, *, user_id: int, limit: int = 2 * MAX_TOKENS) -> list[ApiToken]:
    """Return an account's tokens, newest first; those that were revoked come last."""
    newest = select(*_COLUMNS).where(api_tokens.c.user_id == user_id)
    order = (api_tokens.c.revoked_at.is_not(None), api_tokens.c.id.desc())
    return [_token(row._mapping) for row in connection.execute(newest.order_by(*order).limit(limit))]


def revoke_token(connection: Connection, *, token_id: int, user_id: int) -> ApiToken:
    """End a token of an account at once. Revoking it again changes nothing. Raises NotFoundError, also for somebody else's."""
    row = connection.execute(
        update(api_tokens)
        .where(api_tokens.c.id == token_id, api_tokens.c.user_id == user_id)
        .values(revoked_at=func.coalesce(api_tokens.c.revoked_at, func.now()))
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such token among yours. Load the list of your tokens again.")
    return _token(row._mapping)


def revoke_tokens(connection: Connection, *, user_id: int) -> int:
    """End all tokens of an account at once, and return how many were good until now."""
    live = live_tokens(connection, user_id=user_id)
    mine = (api_tokens.c.user_id == user_id, api_tokens.c.revoked_at.is_(None))
    connection.execute(update(api_tokens).where(*mine).values(revoked_at=func.now()))
    if live:
        add_account_change(connection, user_id=user_id, deed="tokens_revoked", value_after=str(live), changed_by=user_id)
    return live


def shown_token(connection: Connection, token: str) -> ShownToken | None:
    """Return whose a token is. None: it is no token of ours, it was revoked, or its account is closed."""
    if not is_token(token):
        return None
    known = select(*_COLUMNS, (api_tokens.c.expires_at <= func.now()).label("is_expired"))
    row = connection.execute(
        known.where(api_tokens.c.token_hash == token_hash(token), api_tokens.c.revoked_at.is_(None))
    ).one_or_none()
    user = None if row is None else user_by_id(connection, row.user_id)
    if row is None or user is None or not user.is_active:
        return None
    return ShownToken(_token(row._mapping), user, is_expired=bool(row.is_expired))


def token_used(connection: Connection, *, token_id: int) -> None:
    """Write down that a token is used now; once a minute is enough."""
    long_ago = func.now() - func.make_interval(0, 0, 0, 0, 0, 1)
    stale = or_(api_tokens.c.last_used_at.is_(None), api_tokens.c.last_used_at < long_ago)
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id, stale).values(last_used_at=func.now()))


def _token(row: RowMapping) -> ApiToken:
    values = {field.name: row[field.name] for field in fields(ApiToken)}
    return ApiToken(**{**values, "scopes": tuple(row["scopes"])})
