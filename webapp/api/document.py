"""The OpenAPI 3.1 document, written of the operations and of the models that they take and give."""

import json
from functools import lru_cache
from itertools import chain
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import deep_images_hub
from deep_images_hub.api_tokens import SCOPES
from deep_images_hub.model_files import FILE_KINDS
from deep_images_hub.wire.base import MAX_ID, Asked, Problem
from webapp.api.operations import JSON, TAGS, Operation, api
from webapp.api.problems import PROBLEM

_SCHEMAS = "#/components/schemas/{model}"
_TEXT_PARAMETERS: dict[str, dict[str, Any]] = {
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "model_file": {"type": "string", "enum": [kind.file_name for kind in FILE_KINDS]},
}
_ABOUT = """What the portal does, for programs.

Labels, pictures, datasets and models may be read by anybody; for everything else send `Authorization: Bearer dih_...` with a
token of your account. Lists come in parts: follow `next` until it is null. Errors are `application/problem+json` (RFC 9457) with
a `code` that stays the same. `RateLimit` says how much is left; after 429 and 503 wait for as long as `Retry-After` says."""


@lru_cache(1)
def openapi_json() -> str:
    """Return the document as JSON text: the same for every request of this version."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":"))


def document() -> dict[str, Any]:
    """Return the document."""
    answers = [of.answer for of in api.operations if of.answer is not None]
    asked = [of.body for of in api.operations if of.body is not None]
    models = [
        *((model, "serialization") for model in dict.fromkeys([*answers, Problem])),
        *((model, "validation") for model in dict.fromkeys(asked)),
    ]
    references, schemas = models_json_schema(models, ref_template=_SCHEMAS)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for operation in chain.from_iterable(api.by_tag().values()):
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Deep Images Hub", "version": deep_images_hub.__version__, "description": _ABOUT},
        "servers": [{"url": "/api/v1"}],
        "tags": [{"name": tag} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of your account. Scopes: " + "; ".join(f"`{k}`: {v}" for k, v in SCOPES.items()),
                }
            },
            "responses": {
                "Problem": {
                    "description": "It was not done.",
                    "content": {PROBLEM: {"schema": {"$ref": _SCHEMAS.format(model="Problem")}}},
                }
            },
        },
    }


def _operation(of: Operation, references: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media: {} for media in of.gives}
    if of.answer is not None:
        content = {JSON: {"schema": references[of.answer, "serialization"]}}
    problem = {"$ref": "#/components/responses/Problem"}
    said: dict[str, Any] = {
        "operationId": of.name,
        "summary": of.summary,
        "tags": [of.tag],
        # An empty requirement: nobody need say who they are, and a token may show more.
        "security": [{"token": [of.access.token_scope]}] if of.access.needs_account else [{}, {"token": []}],
        "parameters": [*(_path_parameter(*parameter) for parameter in of.parameters), *_query_parameters(of.query)],
        "responses": {
            **{str(status): {"description": "It was done.", "content": content} for status in of.statuses},
            "default": problem,
        },
    }
    if of.description:
        said["description"] = of.description
    if not of.answer:
        said["responses"]["206"] = {"description": "The bytes that were asked for.", "content": content}
    if of.body is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": references[of.body, "validation"]}}}
    elif of.takes:
        said["requestBody"] = {"required": True, "content": {media: _upload(media) for media in of.takes}}
    return said


def _upload(media: str) -> dict[str, Any]:
    if media != "multipart/form-data":
        return {}
    picture = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"schema": {"type": "object", "properties": {"picture": picture}, "required": ["picture"]}}


def _path_parameter(name: str, is_number: bool) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0, "maximum": MAX_ID}
    schema = number if is_number else _TEXT_PARAMETERS.get(name, {"type": "string", "minLength": 1})
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(model: type[Asked] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    parameters = []
    for name, field in schema["properties"].items():
        described = {key: value for key, value in field.items() if key not in ("title", "description", "default")}
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in required, "schema": _present(described)}
        if "description" in field:
            parameter["description"] = field["description"]
        if field.get("default") not in (None, []):
            parameter["schema"]["default"] = field["default"]
        parameters.append(parameter)
    return parameters


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that an address says: nothing is said by leaving it out, and null cannot be."""
    if "anyOf" not in schema:
        return schema
    (only,) = [of for of in schema["anyOf"] if of.get("type") != "null"]
    return {**{key: value for key, value in schema.items() if key != "anyOf"}, **only}


def example(model: type[BaseModel]) -> str:
    """Return the names of a model's fields, as the page of the API shows them."""
    return ", ".join(field.alias or name for name, field in model.model_fields.items())
