from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from deep_images_hub.batches.manifest import Manifest, ManifestObject, manifest_from_json
from deep_images_hub.errors import InvalidInputError

SENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def manifest(**changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "batch_key": "b-1",
        "supplier_email": "ada@crowd.example",
        "supplier_name": "Ada Berg",
        "label_code": "/m/014j1m",
        "licence": "by",
        "submitted_at": SENT,
        "objects": (ManifestObject(object_key="landing/b-1/000000.jpg", filename="Hell's Kitchen.jpg", size_bytes=3),),
    }
    return Manifest(**(fields | changes))


def test_manifest_reads_back_as_it_was_written() -> None:
    sent = manifest(place_query="Toronto, M5V 2T6", attribution="Ada Berg")
    assert manifest_from_json(sent.to_json()) == sent
    assert sent.to_json() == sent.to_json()
    assert sent.key == "landing/b-1/manifest.json"


def test_times_are_kept_in_utc() -> None:
    assert manifest(submitted_at=SENT.astimezone(timezone(timedelta(hours=5)))).to_json() == manifest().to_json()


WRONG = {
    "batch_key": "../up",
    "supplier_email": "Ada@crowd.example",
    "supplier_name": "",
    "licence": "all rights reserved",
    "submitted_at": datetime(2026, 3, 1),  # noqa: DTZ001
    "objects": (),
}


@pytest.mark.parametrize("field", WRONG)
def test_wrong_field_is_refused_by_name(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        manifest(**{field: WRONG[field]})


@pytest.mark.parametrize("key", ["images/aa/bb/c.jpg", "landing/../x.jpg", "/landing/x.jpg", ""])
def test_object_outside_the_landing_area_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="object_key"):
        ManifestObject(object_key=key, filename="x.jpg", size_bytes=1)


def test_object_that_is_named_twice_is_refused() -> None:
    photograph = ManifestObject(object_key="landing/b-1/000000.jpg", filename="x.jpg", size_bytes=1)
    with pytest.raises(ValidationError, match="twice"):
        manifest(objects=(photograph, photograph))


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"[1]", b"\xff\xfe"])
def test_what_is_no_manifest_is_an_invalid_input(body: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not a batch's manifest"):
        manifest_from_json(body)


def test_unknown_field_is_refused() -> None:
    body = manifest().to_json().replace(b'"label_code"', b'"labels": 1, "label_code"')
    with pytest.raises(InvalidInputError, match="labels"):
        manifest_from_json(body)
