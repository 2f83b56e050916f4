import json
from datetime import UTC, datetime
from typing import Any

import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.landing.supplier_manifest import (
    MAX_MANIFEST_BYTES,
    delivery_from_manifest,
    is_manifest_key,
    supplier_manifest_from_json,
)
from deep_images_hub.object_store import ObjectStat

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "supplier": "Ada@example.org",
    "label": "/m/014j1m",
    "licence": "by",
    "place": "Toronto, M5V 2T6",
    "taken_at": "2026-05-03T10:00:00Z",
    "files": [
        {"name": "shelf/Hell's Kitchen é.jpg", "size_bytes": 3, "sha256": "A" * 64, "taken_at": "2026-05-03T12:00:00+05:00"},
        {"name": "2.jpg"},
    ],
}


def body(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def delivery(said: bytes, key: str = "may apples!.manifest.json") -> Any:
    return delivery_from_manifest(
        supplier_manifest_from_json(said),
        body=said,
        found=ObjectStat(key, len(said), NOON),
        source_url="s3://suppliers/ada",
        supplier_email="ada@example.org",
        supplier_name="Ada Berg",
    )


def test_manifest_says_what_is_to_be_taken_in() -> None:
    made = delivery(b"\xef\xbb\xbf" + body())
    first, second = made.files
    assert (first.key, first.filename) == ("may apples!/shelf/Hell's Kitchen é.jpg", "shelf/Hell's Kitchen é.jpg")
    assert (first.size_bytes, first.sha256) == (3, "a" * 64)
    assert first.taken_at == datetime(2026, 5, 3, 7, tzinfo=UTC)
    assert (second.key, second.size_bytes, second.sha256) == ("may apples!/2.jpg", None, None)
    assert second.taken_at == datetime(2026, 5, 3, 10, tzinfo=UTC)
    assert (made.label_code, made.attribution, made.submitted_at) == ("/m/014j1m", "Ada Berg", NOON)
    assert made.origin == "s3://suppliers/ada/may apples!.manifest.json"


def test_batch_key_is_readable_and_follows_from_what_the_manifest_says() -> None:
    key = delivery(body()).batch_key
    assert key.startswith("land-may-apples-")
    assert delivery(body()).batch_key == key
    others = [delivery(body(label="pear")).batch_key, delivery(body(), "x.manifest.json").batch_key]
    assert delivery(body(), "林檎" * 20 + ".manifest.json").batch_key.startswith("land-")
    assert len({key, *others}) == 3


def test_credit_is_the_supplier_only_where_the_licence_asks_for_one() -> None:
    assert delivery(body(licence="cc0")).attribution is None
    assert delivery(body(licence="cc0", attribution="The Museum")).attribution == "The Museum"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"lable": "x"}, "lable"),
    "unknown licence": ({"licence": "all rights reserved"}, "licence.*cc0"),
    "no files": ({"files": []}, "files"),
    "files are text": ({"files": "1.jpg"}, "files"),
    "a file twice": ({"files": [{"name": "1.jpg"}, {"name": "1.jpg"}]}, "named twice"),
    "a name that leaves the folder": ({"files": [{"name": "../other/1.jpg"}]}, "files.0.name"),
    "an absolute name": ({"files": [{"name": "/etc/passwd"}]}, "files.0.name"),
    "a name that hides a folder": ({"files": [{"name": "a/./b.jpg"}]}, "files.0.name"),
    "a name of Windows": ({"files": [{"name": "a\\b.jpg"}]}, "files.0.name"),
    "a name with a NUL": ({"files": [{"name": "a\x00.jpg"}]}, "files.0.name"),
    "a long name": ({"files": [{"name": "a/" * 130 + "b.jpg"}]}, "files.0.name"),
    "a label with a NUL": ({"label": "\x00"}, "label.*control characters"),
    "an empty supplier": ({"supplier": "  "}, "supplier"),
    "a credit with a line break": ({"attribution": "Ada\nBerg"}, "attribution"),
    "a place that is none": ({"place": "!!"}, "place"),
    "a negative size": ({"files": [{"name": "1.jpg", "size_bytes": -1}]}, "size_bytes"),
    "a short sha256": ({"files": [{"name": "1.jpg", "sha256": "abc"}]}, "sha256"),
    "a time without a zone": ({"taken_at": "2026-05-03T10:00:00"}, "taken_at"),
    "a time that UTC does not have": ({"taken_at": "0001-01-01T00:00:00+14:00"}, "taken_at"),
    "a field that is missing in a file": ({"files": [{}]}, "files.0.name"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_manifest_is_refused_and_says_where(what: str) -> None:
    changes, where = WRONG[what]
    with pytest.raises(InvalidInputError, match=f"not a supplier's manifest.*{where}"):
        supplier_manifest_from_json(body(**changes))


def test_field_that_is_written_otherwise_is_named_first() -> None:
    with pytest.raises(InvalidInputError, match=r"manifest: lable: .*; supplier: .*; label: .*; and 2 more"):
        supplier_manifest_from_json(b'{"lable": "x"}')


@pytest.mark.parametrize(
    "said", [b"", b"{", b"<html>", b"null", b"[1]", b"\xff\xfe{}", b'{"files": [' * 5000, b'"\\ud800"', body()[:-1]]
)
def test_what_is_no_manifest_is_refused(said: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not a supplier's manifest"):
        supplier_manifest_from_json(said)


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({str(n): n for n in range(5_000)}).encode(),
        json.dumps(GOOD | {"files": [{str(n): n for n in range(5_000)}]}).encode(),
        b'{"files": [' + b"{}," * 300_000 + b"{}]}",
        b'{"files": [' + b'"x",' * 300_000 + b"{}]}",
    ],
    ids=["many fields", "many fields of a file", "many files", "many texts"],
)
def test_hostile_manifest_is_refused_in_few_words(said: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        supplier_manifest_from_json(said)
    assert len(str(refused.value)) < 2000


def test_largest_number_of_files_fits() -> None:
    files = [{"name": f"{n:0100}.jpg", "size_bytes": 10**7, "sha256": "a" * 64, "taken_at": GOOD["taken_at"]} for n in range(3)]
    per_file = len(json.dumps(files)) / 3
    assert 100_000 * per_file < MAX_MANIFEST_BYTES


def test_manifests_lie_right_in_the_source_under_a_name() -> None:
    assert is_manifest_key("may apples.manifest.json")
    assert not any(map(is_manifest_key, ("manifest.json", ".manifest.json", "a/b.manifest.json", "a.manifest.json.bak")))
