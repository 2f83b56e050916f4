"""Errors, said once: expected ones by class, HTTP's own, and defects. A page for people, an object with a code for programs."""

from typing import Any

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, TooManyRequests

from deep_images_hub.errors import (
    ConflictError,
    ForbiddenError,
    HubError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from webapp.access import is_of_api
from webapp.api.problems import problem
from webapp.wording import size

# Found by the nearest class of an error's ancestry.
STATUSES: dict[type[HubError], int] = {
    InvalidInputError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooManyRequestsError: 429,
    UnavailableError: 503,
}
_RETRY_AFTER_S = 10

_TITLES = {
    400: "That did not work",
    401: "Who is asking?",
    403: "Not for this account",
    404: "Nothing here",
    405: "That did not work",
    409: "That does not fit",
    413: "Too large",
    429: "One moment, please",
    500: "Our mistake",
    503: "Not available right now",
}
_MESSAGES = {
    404: "There is no such page. It may have been moved, or the address may have been cut off.",
    405: "This address does not take that kind of request.",
    500: "Something went wrong on our side, and it was written down. Your selection is kept. "
    "Try again, or tell an operator of this hub.",
}


def register(app: Flask) -> None:
    """Map every error to an answer."""
    app.register_error_handler(HubError, _answer_expected)
    app.register_error_handler(CSRFError, _answer_expired_form)
    app.register_error_handler(RequestEntityTooLarge, _answer_too_large)
    app.register_error_handler(TooManyRequests, _answer_too_many)
    app.register_error_handler(HTTPException, _answer_http)


def status_of(error: HubError) -> int:
    """Return the HTTP status of an expected error."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def wants_json() -> bool:
    """Tell whether the request comes from a program that asked for JSON."""
    return (
        request.path.endswith(".json")
        or request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )


def _answer(
    status: int,
    code: str,
    message: str,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> ResponseReturnValue:
    headers = {**(headers or {}), **({"Retry-After": str(_RETRY_AFTER_S)} if status == 503 else {})}
    title = _TITLES.get(status, "That did not work")
    if is_of_api():
        return problem(status, title, code, message, errors), status, headers
    if wants_json():
        return jsonify(error={"code": code, "message": message}), status, headers
    return render_template("error.html", status=status, title=title, message=message), status, headers


def _answer_expected(error: HubError) -> ResponseReturnValue:
    return _answer(status_of(error), error.code, str(error), getattr(error, "errors", None))


def _answer_expired_form(_error: CSRFError) -> ResponseReturnValue:
    message = (
        "The form was not sent from this portal, or your session ended before you sent it. "
        "Go back, load the page again, and send it again."
    )
    return _answer(400, "form_expired", message)


def _answer_too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    limit = request.max_content_length or 0
    code = "request_entity_too_large" if is_of_api() else "too_large"
    return _answer(413, code, f"What was sent is too large. At most {size(limit)} are taken. Send a smaller picture.")


def _answer_too_many(error: TooManyRequests) -> ResponseReturnValue:
    return _answer(429, "too_many_requests", "You tried this too often in a short time. Wait a minute, then try again.")


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if 300 <= status < 400:
        return error.get_response()
    code = (error.name or "error").lower().replace(" ", "_")
    # Whose method is not taken is told which ones are (RFC 9110, 15.5.6).
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return _answer(status, code, _MESSAGES.get(status) or error.description or error.name, headers=headers)
