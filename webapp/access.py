"""Who may call a view. Closed by default: each view carries one of the three decorators, and one without any is refused.

- `@public`: anybody
- `@signed_in`: any account
- `@requires("download")`: accounts whose role has the permission (`deep_images_hub.accounts.PERMISSIONS`)

Pages know who asks by the session, the API by a token (`bearer`) alone, which may do less than its account (`api_tokens.SCOPES`).
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.accounts import PERMISSIONS
from deep_images_hub.catalogue.users import User, user_by_id
from deep_images_hub.errors import ForbiddenError, UnauthenticatedError
from webapp.bearer import InsufficientScopeError, bearer
from webapp.services import hub
from webapp.sessions import API_PREFIX, renew

View = TypeVar("View", bound=Callable[..., Any])

_ACCESS = "portal_access"
# What a permission lets somebody do, as the page says it that refuses.
_DEEDS = {
    "submit": "send photographs",
    "freeze": "make datasets",
    "download": "download datasets",
    "train": "request training",
    "predict": "try and download models",
    "operate": "run the hub",
}


@dataclass(frozen=True)
class Access:
    """What a view asks for: an account or not, and a permission or none. scope: of a token, where it is not the permission."""

    needs_account: bool
    permission: str | None = None
    scope: str = "read"

    @property
    def token_scope(self) -> str:
        """What a token must be for."""
        return self.permission or self.scope


def public(view: View) -> View:
    """Open a view to everybody."""
    return _declare(view, Access(needs_account=False))


def signed_in(view: View) -> View:
    """Open a view to every account."""
    return _declare(view, Access(needs_account=True))


def signed_in_with(scope: str) -> Callable[[View], View]:
    """Open a view of the API to every account whose token has a scope."""
    return lambda view: _declare(view, Access(needs_account=True, scope=scope))


def requires(permission: str) -> Callable[[View], View]:
    """Open a view to the accounts whose role has a permission."""
    if permission not in _DEEDS:
        raise ValueError(f"{permission!r} is not a permission: expected one of {sorted(_DEEDS)}")
    return lambda view: _declare(view, Access(needs_account=True, permission=permission))


def access_of(view: Callable[..., Any]) -> Access | None:
    """Return what a view declared; None: nothing, so nobody may call it."""
    found = getattr(view, _ACCESS, None)
    return found if isinstance(found, Access) else None


def guard(app: Flask) -> None:
    """Put the gate before every request."""
    app.before_request(_check)
    app.context_processor(lambda: {"user": current_user(), "may": may})


def current_user() -> User | None:
    """Return the account of this request, or None."""
    user: User | None = g.get("user")
    return user


def signed_in_user() -> User:
    """Return the account of a request whose view needs one."""
    user = current_user()
    if user is None:
        raise ForbiddenError("This needs an account. Sign in first.")
    return user


def may(permission: str) -> bool:
    """Tell whether this request's account has a permission, and its token, where it shows one, the scope."""
    user, token = current_user(), g.get("token")
    return user is not None and user.may(permission) and (token is None or permission in token.scopes)


def start_session(user: User) -> None:
    """Sign somebody in. Nothing of the session before is kept, except what was selected: no form or id of it stays valid."""
    kept = session.get("selection")
    session.clear()
    session.permanent = True
    session["user_id"] = user.id
    session["password_mark"] = _password_mark(user)
    if kept:
        session["selection"] = kept


def end_session() -> None:
    """Sign out."""
    session.clear()


def _declare(view: View, access: Access) -> View:
    setattr(view, _ACCESS, access)
    return view


def is_of_api() -> bool:
    """Tell whether this request is for the API, where no session counts."""
    return request.path.startswith(API_PREFIX)


def _check() -> ResponseReturnValue | None:
    g.user = g.token = None
    if request.endpoint == "static":
        return None
    if is_of_api():
        g.user, g.token = bearer()
    elif "user_id" in session:
        g.user = _user_of_session()
    if request.endpoint is None:
        return None  # no such page: the error page says so
    access = access_of(current_app.view_functions[request.endpoint])
    if access is None:
        raise ForbiddenError("This page is closed.")
    if is_of_api():
        _check_token(access)
    if not access.needs_account:
        return None
    if g.user is None:
        if request.method in ("GET", "HEAD") and request.accept_mimetypes.accept_html:
            return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
        raise ForbiddenError("This needs an account. Sign in first.")
    if access.permission is not None and not may(access.permission):
        allowed = ", ".join(role for role, granted in PERMISSIONS.items() if access.permission in granted)
        raise ForbiddenError(
            f"Your account has the role {g.user.role}, which may not {_DEEDS[access.permission]}. Roles that may: {allowed}. "
            "Ask an operator of this hub if you need it."
        )
    return None


def _check_token(access: Access) -> None:
    """Refuse a request that needs a token and shows none, or one that is not for this."""
    if g.user is None and access.needs_account:
        raise UnauthenticatedError(
            "This needs an API token. Make one on your account's page, and send it as the header `Authorization: Bearer dih_...`."
        )
    if g.user is None or access.token_scope in g.token.scopes:
        return
    if not access.needs_account:
        # What is open to everybody is open to this token too, as if nobody showed it.
        g.user = g.token = None
        return
    if access.permission is None or g.user.may(access.permission):
        raise InsufficientScopeError(
            f"The token {g.token.prefix}... has the scopes {', '.join(g.token.scopes)}, and this needs {access.token_scope}. "
            "Make another token with that scope."
        )


def _user_of_session() -> User | None:
    """Return the session's account, unless it was closed, signed out everywhere, or its password changed since."""
    with hub().engine.connect() as connection:
        user = user_by_id(connection, session["user_id"])
    if user is None or not user.is_active or not hmac.compare_digest(session.get("password_mark", ""), _password_mark(user)):
        end_session()
        return None
    renew(session, request)
    return user


def _password_mark(user: User) -> str:
    """Return a few digits that change with the password and the series, so that a change ends every session."""
    key = current_app.secret_key
    if not isinstance(key, str):
        raise TypeError("the portal's secret key is a text")
    return hmac.new(key.encode(), f"{user.session_series} {user.password_hash}".encode(), hashlib.sha256).hexdigest()[:16]
