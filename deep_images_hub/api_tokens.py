"""API tokens: what a program shows instead of a password, and what it may do with it. Pure.

A token is 256 random bits, said once to its owner; the catalogue keeps its sha256. It may do what its scopes say and its owner's
role allows, both looked at on every request: an account that loses a role takes its tokens with it.
"""

import hashlib
import re
import secrets
from collections.abc import Collection

from deep_images_hub.accounts import PERMISSIONS
from deep_images_hub.errors import InvalidInputError

# What a token lets a program do. `read` and `report` are open to every account; the others are permissions of its role.
SCOPES = {
    "read": "See what its account may see: its batches, its requests, its pictures in review",
    "report": "Report pictures, and say what is wanted",
    "submit": "Send photographs",
    "freeze": "Freeze datasets",
    "download": "Download datasets",
    "train": "Request training",
    "predict": "Try and download models",
    "operate": "Review pictures and run the hub",
}
_OF_EVERY_ACCOUNT = frozenset({"read", "report"})

MAX_NAME_LENGTH = 80
MAX_TOKENS = 50
LIFETIMES_DAYS = (7, 30, 90, 365)
PREFIX_LENGTH = 12

# A scanner of leaked secrets knows our tokens by their beginning.
_TOKEN_BEGIN = "dih_"  # noqa: S105
_TOKEN = re.compile(r"dih_[A-Za-z0-9_-]{43}", re.ASCII)


def new_token() -> str:
    """Make a token: `dih_` and 43 letters, digits, `-` and `_`."""
    return _TOKEN_BEGIN + secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> str:
    """Return the sha256 that the catalogue keeps. It is of 256 random bits: a slow hash would hide them no better."""
    return hashlib.sha256(token.encode()).hexdigest()


def scopes_of_role(role: str) -> tuple[str, ...]:
    """Return the scopes that a role's account can give a token, in the order of SCOPES."""
    return tuple(scope for scope in SCOPES if scope in _OF_EVERY_ACCOUNT or scope in PERMISSIONS[role])


def checked_scopes(asked: Collection[str], *, role: str) -> tuple[str, ...]:
    """Return the scopes of a new token, each once, in the order of SCOPES.

    Raises:
        InvalidInputError: there are none, one is unknown, or one is beyond the role.
    """
    allowed = scopes_of_role(role)
    if not asked:
        raise InvalidInputError(f"The token has no scope, and could do nothing. Choose at least one of: {', '.join(allowed)}.")
    for scope in asked:
        if scope not in SCOPES:
            raise InvalidInputError(f"{scope[:40]!r} is not a scope. Expected some of: {', '.join(allowed)}.")
        if scope not in allowed:
            raise InvalidInputError(
                f"Your account has the role {role}, which cannot give a token the scope {scope}. "
                f"It can give: {', '.join(allowed)}."
            )
    return tuple(scope for scope in SCOPES if scope in asked)


def checked_name(name: str) -> str:
    """Return a token's name as it is kept. Raises InvalidInputError."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MAX_NAME_LENGTH:
        raise InvalidInputError(
            f"The token's name has {len(cleaned)} characters; expected 1 to {MAX_NAME_LENGTH}. "
            "Say what it is for, such as: nightly export."
        )
    return cleaned


def checked_lifetime(days: int | None) -> int | None:
    """Return for how many days a new token is good; None: until it is revoked. Raises InvalidInputError."""
    if days is not None and days not in LIFETIMES_DAYS:
        listed = ", ".join(map(str, LIFETIMES_DAYS))
        raise InvalidInputError(f"The token is to be good for {days} days; expected one of {listed}, or no end.")
    return days
