"""Who asks the API: by `Authorization: Bearer` and nothing else, so that no page elsewhere can ask in somebody's name."""

from datetime import UTC, datetime, timedelta

from flask import request

from deep_images_hub.catalogue.api_tokens import ApiToken, shown_token, token_used
from deep_images_hub.catalogue.users import User
from deep_images_hub.errors import ForbiddenError, UnauthenticatedError
from webapp.services import hub

# A token's last use is known to the minute: to write it down every time would be a write for each read.
_USE_KEPT_FOR = timedelta(minutes=1)


class InvalidTokenError(UnauthenticatedError):
    """A token is shown that is not good."""

    code = "invalid_token"


class InsufficientScopeError(ForbiddenError):
    """A token is shown that is good, but not for this."""

    code = "insufficient_scope"


def bearer() -> tuple[User, ApiToken] | tuple[None, None]:
    """Return the account that asks and its token; None: none is shown.

    Raises:
        InvalidTokenError: something else is shown, or a token that is unknown, revoked or expired.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None, None
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer":
        raise InvalidTokenError(f"The header Authorization says {kind[:20]!r}; expected `Bearer` and a token.")
    with hub().engine.begin() as connection:
        shown = shown_token(connection, token.strip())
        if shown is None:
            raise InvalidTokenError("This token is not known here, or it was revoked. Make another one on your account's page.")
        if shown.is_expired:
            raise InvalidTokenError(
                f"The token {shown.token.prefix}... was good until {shown.token.expires_at:%Y-%m-%d %H:%M} UTC. Make another one."
            )
        last_used_at = shown.token.last_used_at
        if last_used_at is None or datetime.now(UTC) - last_used_at > _USE_KEPT_FOR:
            token_used(connection, token_id=shown.token.id)
    return shown.user, shown.token
