"""Hundreds of requests, many wrong, made of the OpenAPI document: none may be answered with a mistake of the portal's own.

Schemathesis does the same more thoroughly, by hand: docs/api.md.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.builders import HubBuilder, photographs
from tests.integration.portal.conftest import ApiClient, api_token
from webapp import create_app
from webapp.api.document import openapi_json
from webapp.security import limiter

REQUESTS = 12
# Of an operation that is told nothing but what it is about.
FEW_REQUESTS = 3
TEXTS = (
    "", "0", "-1", "1e400", "NaN", "null", "\0", "é" * 300, "a" * 5_000, "' or 1=1 --", "../../etc/passwd", "%00", "{}",
    "<script>",     "2024-02-30", "9999-12-31", "Toronto, CA", "/m/apple", "\u202e", "\ufffe", "1,2", "0" * 64, "f" * 64,
)  # fmt: skip
NUMBERS = (0, 1, 2, -1, 200, 201, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30, 0.5, -0.0, 1e308)
OTHERS = (None, True, [], {}, [None], [[]], {"a": {"b": []}})
DOCUMENT = json.loads(openapi_json())
OPERATIONS = [(method.upper(), path, said) for path, of in DOCUMENT["paths"].items() for method, said in of.items()]


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[HubBuilder]:
    with hub_of() as hub:
        builder = HubBuilder(hub)
        builder.labels({"/m/apple": "Apple", "/m/pear": "=Pear()"})
        for number, code in enumerate(("/m/apple", "/m/pear")):
            builder.batch(f"batch-{number}", code, photographs(4, seed=code), attribution="@SUM(A1)")
        builder.user("operator")
        builder.model(builder.version("/m/apple", "/m/pear"))
        yield builder


@pytest.fixture(scope="module")
def app(portal: HubBuilder) -> Flask:
    return create_app(hub=portal.hub)


@pytest.fixture(scope="module")
def client(app: Flask, portal: HubBuilder) -> Iterator[ApiClient]:
    # Every request is to come as far as the view.
    limiter.enabled = False
    yield ApiClient(app, api_token(portal.hub, portal.users["operator"]))
    limiter.enabled = True


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def value_of(schema: dict[str, Any], rng: random.Random, depth: int = 0) -> Any:
    """Return a value that mostly fits a schema; now and then one that does not."""
    schema = resolved(schema)
    if rng.random() < 0.1 or depth > 4:
        return rng.choice((*TEXTS, *NUMBERS, *OTHERS))
    if "anyOf" in schema:
        return value_of(rng.choice(schema["anyOf"]), rng, depth + 1)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            named = schema.get("properties", {}).items()
            required = schema.get("required", [])
            return {name: value_of(of, rng, depth + 1) for name, of in named if name in required or rng.random() < 0.5}
        case "array":
            return [value_of(schema.get("items", {}), rng, depth + 1) for _ in range(rng.randrange(4))]
        case "integer" | "number":
            return rng.choice(NUMBERS)
        case "boolean":
            return rng.random() < 0.5
    return rng.choice(TEXTS)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS])
def test_no_request_is_answered_with_a_mistake_of_our_own(client, portal, method, path, operation) -> None:
    rng = random.Random(f"{method} {path}")
    is_told = any(of["in"] == "query" for of in operation.get("parameters", [])) or "requestBody" in operation
    for _ in range(REQUESTS if is_told else FEW_REQUESTS):
        address, query = path.removeprefix("/api/v1"), {}
        for parameter in operation.get("parameters", []):
            value = value_of(parameter["schema"], rng)
            if parameter["in"] == "path":
                address = address.replace(f"{{{parameter['name']}}}", str(rng.choice((1, 2, value))).replace("/", "%2F") or "x")
            elif rng.random() < 0.7:
                query[parameter["name"]] = value if isinstance(value, (str, list)) else json.dumps(value)
        given: dict[str, Any] = {"query_string": query}
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            given["data"] = json.dumps(value_of(content["application/json"]["schema"], rng))
            given["content_type"] = "application/json"
        elif content:
            given["data"], given["content_type"] = rng.choice((b"", b"\xff\xd8\xff", b"{}")), rng.choice(list(content))
        answer = client.open(method, address, **given)
        assert answer.status_code < 500, f"{method} {address} {given}: {answer.text[:500]}"
        answer.close()
    if path.endswith("/revoke-this"):
        client.token = api_token(portal.hub, portal.users["operator"])
