"""Sessions are for pages: the API neither reads a cookie nor sets one."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

API_PREFIX = "/api/v1"


class PageSessions(SecureCookieSessionInterface):
    """Signed cookies, and for the API always an empty session that is not kept."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session of a request."""
        return self.session_class() if request.path.startswith(API_PREFIX) else super().open_session(app, request)
