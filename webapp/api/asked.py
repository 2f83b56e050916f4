"""Reading what a request asks into the models of `wire`, and saying of each value that cannot be used what is wrong with it."""

import json
from collections.abc import Collection
from typing import Any, TypeVar

from flask import request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process
from werkzeug.exceptions import UnsupportedMediaType

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.wire.base import Asked

_Model = TypeVar("_Model", bound=Asked)


class InvalidRequestError(InvalidInputError):
    """Values of a request cannot be used. errors: each, with where it is."""

    def __init__(self, message: str, errors: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.errors = errors


def query_from_request(model: type[_Model]) -> _Model:
    """Read the values behind the question mark. Raises InvalidRequestError."""
    listed = {name for name, field in model.model_fields.items() if "list" in str(field.annotation)}
    values = {name: given if name in listed else given[-1] for name, given in request.args.lists()}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error, model, "query") from None


def body_from_request(model: type[_Model]) -> _Model:
    """Read a body of JSON.

    Raises:
        UnsupportedMediaType: it is something else.
        InvalidRequestError: it is no JSON, or values in it cannot be used.
    """
    if not request.is_json:
        raise UnsupportedMediaType(
            f"The body is {request.mimetype or 'of no type'!r}; expected JSON. Send the header `Content-Type: application/json`."
        )
    body = request.get_data()
    try:
        if b"\\u0000" in body and _has_nul(json.loads(body)):
            raise InvalidInputError("The body holds a NUL character, which no name and no text has. Leave it out.")
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _invalid(error, model, "body") from None
    except (ValueError, RecursionError):
        raise InvalidInputError("The body is not JSON. Send an object, as the document of the API says it.") from None


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(part) for part in (*value.keys(), *value.values()))
    return isinstance(value, list) and any(_has_nul(part) for part in value)


def _invalid(error: ValidationError, model: type[Asked], source: str) -> InvalidRequestError:
    known = {field.alias or name for name, field in model.model_fields.items()}
    # The first few: a list of thousands of wrong values has the same mistake everywhere.
    problems = [_problem(of, known, source) for of in error.errors(include_url=False, include_context=False)[:20]]
    said = "; ".join(f"{of['where']}: {of['message']}" for of in problems[:3])
    return InvalidRequestError(f"The request cannot be used: {said}{'' if said.endswith('?') else '.'}", problems)


def _problem(error: ErrorDetails, known: Collection[str], source: str) -> dict[str, Any]:
    where = ".".join(str(part) for part in (source, *error["loc"]))
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        name = str(error["loc"][0])
        nearest = process.extractOne(name, sorted(known), scorer=fuzz.ratio, score_cutoff=55)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected: {', '.join(sorted(known)) or 'nothing'}"
        return {"where": where[:200], "message": f"there is no such name; {hint}"}
    received = repr(error["input"])
    cut = received if len(received) <= 60 else received[:60] + "..."
    return {"where": where[:200], "message": f"received {cut}; {error['msg'][0].lower()}{error['msg'][1:]}"}
