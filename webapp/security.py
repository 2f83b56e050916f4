"""What every answer and every form carries: headers, form tokens, and how often somebody may try."""

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from deep_images_hub.errors import InvalidInputError

# Everything comes from this host, and nothing is written inline: what is smuggled into a page does not run.
# blob: shows a picture before it is sent on the try-it page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
YEAR_S = 365 * 24 * 3600
SIGN_IN_LIMIT = "10 per minute; 100 per day"
PREDICTION_LIMIT = "60 per minute"
# Documents that are made when somebody asks for them.
DOCUMENT_LIMIT = "10 per minute; 200 per day"
# One of 600 labels takes five seconds of a processor.
PDF_LIMIT = "4 per minute; 100 per day"
REPORT_LIMIT = "10 per minute; 60 per day"
# Forms that send e-mail to whatever address is typed.
ASKING_LIMIT = "10 per minute; 60 per day"
LINK_LIMIT = "20 per minute"
ACCOUNT_LIMIT = "30 per minute"
TOKEN_LIMIT = "10 per minute"  # noqa: S105

# By network address, a coarse sieve, counted in each process of the portal; several let through as many times more. What must be
# exact, on one account whoever asks from wherever, is counted in the catalogue (`webapp.guessing`).
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
form_tokens = CSRFProtect()


def protect(app: Flask) -> None:
    """Set headers on every answer, ask every form for its token, count attempts, and let through only text that can be kept."""
    app.before_request(_refuse_nul)
    app.after_request(_add_headers)
    form_tokens.init_app(app)
    limiter.init_app(app)


def _refuse_nul() -> None:
    """Refuse text with a NUL character, which the catalogue cannot hold and nobody types."""
    typed = [value for fields in (request.args, request.form) for _, values in fields.lists() for value in values]
    if any("\0" in value for value in [*typed, *(request.view_args or {}).values()] if isinstance(value, str)):
        raise InvalidInputError("The request holds a NUL character, which no name and no text has. Leave it out.")


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["X-Robots-Tag"] = "noai, noimageai"
    if request.is_secure:
        headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
    if response.mimetype == "text/html":
        # Pages show who is signed in: no shared cache may keep them.
        headers.setdefault("Cache-Control", "private, no-cache")
    return response
