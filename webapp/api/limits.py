"""How often a program may ask, and telling it: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""

import math
import time

from flask import Flask, Response, g
from flask_limiter.util import get_remote_address

from webapp.access import is_of_api
from webapp.security import limiter

API_LIMIT = "600 per minute"
# Reads and writes a list of pictures of any length.
FREEZE_LIMIT = "30 per minute"


def whose() -> str:
    """Return who asks, for counting: the account, or an address where there is none."""
    user = g.get("user")
    return get_remote_address() if user is None else f"account {user.id}"


def announce(app: Flask) -> None:
    """Tell programs what is left of their limits. Call it before the limiter is set up, so that it has the last word."""
    app.after_request(_announce)


def _announce(response: Response) -> Response:
    if not is_of_api():
        return response
    headers = response.headers
    for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
        headers.pop(name, None)
    if response.status_code not in (429, 503):
        headers.pop("Retry-After", None)
    policies, left = [], []
    for number, of in enumerate(limiter.current_limits):
        seconds = max(0, math.ceil(of.reset_at - time.time()))
        name = f'"{number}"' if number else '"default"'
        policies.append(f"{name};q={of.limit.amount};w={of.limit.get_expiry()}")
        left.append(f"{name};r={of.remaining};t={seconds}")
    if policies:
        headers["RateLimit-Policy"], headers["RateLimit"] = ", ".join(policies), ", ".join(left)
    return response
