"""Errors of the API: RFC 9457, with a code that stays the same."""

from typing import Any

from flask import Response, request, url_for

from deep_images_hub.wire.base import Problem

PROBLEM = "application/problem+json"

# Every code, with what it means; the page of the API shows them.
CODES = {
    "invalid_input": "A value cannot be used; `errors` says which. Correct it.",
    "token_required": "Nobody knows who asks. Send a token.",
    "invalid_token": "The token is unknown, revoked or expired. Make another.",
    "insufficient_scope": "The token is not for this. Make one with the scope that the message names.",
    "forbidden": "The account may not do it, or the thing is somebody else's.",
    "not_found": "There is no such thing, or it is not for whoever asks.",
    "method_not_allowed": "The address does not take this method.",
    "conflict": "It contradicts what is already there: somebody was first, or it has ended.",
    "precondition_failed": "What is there is not what was expected.",
    "request_entity_too_large": "The body is too large.",
    "unsupported_media_type": "The body is of another type than this takes.",
    "requested_range_not_satisfiable": "The file has no such bytes.",
    "too_many_requests": "Too often in a short time. Wait for as long as `Retry-After` says.",
    "unavailable": "The catalogue or the store does not answer. Try again after `Retry-After`.",
    "internal_server_error": "A mistake of ours. It was written down.",
}


def problem(status: int, title: str, code: str, message: str, errors: list[dict[str, Any]] | None = None) -> Response:
    """Return an error as a response."""
    said = Problem(
        type=url_for("api_pages.page", _external=True, _anchor=code),
        title=title,
        status=status,
        detail=message,
        code=code,
        errors=errors or [],
    )
    response = Response(said.model_dump_json(), status, content_type=PROBLEM)
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        shown = ', error="invalid_token"' if "Authorization" in request.headers else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="Deep Images Hub"{shown}'
    return response
