"""Sessions are for pages: the API neither reads a cookie nor sets one."""

import time

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

API_PREFIX = "/api/v1"
_RENEWED_AFTER_S = 3600


class PageSessions(SecureCookieSessionInterface):
    """Signed cookies, and for the API always an empty session that is not kept."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session of a request."""
        return self.session_class() if request.path.startswith(API_PREFIX) else super().open_session(app, request)


def renew(session: SessionMixin, request: Request) -> None:
    """Let a session of somebody who is at work begin anew: with a page, once an hour.

    Flask would do it with every answer. A page's pictures come while somebody chooses some of them, and the cookie of a picture
    that was asked for before would take what was chosen back.
    """
    is_page = request.method == "GET" and "text/html" in request.accept_mimetypes.values()
    if is_page and time.time() - session.get("renewed_at", 0) > _RENEWED_AFTER_S:
        session["renewed_at"] = int(time.time())
