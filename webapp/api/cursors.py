"""Cursors: places in lists, signed, so that only the portal makes them and each is good for its own list alone."""

from typing import Any

from flask import current_app, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer

from deep_images_hub.errors import InvalidInputError


def following(place: Any) -> str:
    """Return the address of the part of this request's list that comes after a place, which is plain JSON values."""
    asked: dict[str, Any] = {name: values for name, values in request.args.lists() if name not in ("cursor", "at")}
    return url_for(
        request.endpoint or "", **{**asked, **(request.view_args or {})}, cursor=_cursors().dumps(place), _external=True
    )


def place_of(cursor: str | None) -> Any:
    """Return the place that a cursor stands for; None: the beginning. Raises InvalidInputError."""
    if cursor is None:
        return None
    try:
        return _cursors().loads(cursor)
    except BadSignature:
        raise InvalidInputError(
            "The cursor was not made for this list. Take it from the `next` of the part before, or leave it out to begin anew."
        ) from None


def _cursors() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=f"cursor of {request.endpoint}")
