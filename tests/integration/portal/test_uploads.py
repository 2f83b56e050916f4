"""Sending photographs through the portal: in parts and whole, broken off and gone on with, and who sees what."""

import base64
import hashlib
import io
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.batches import pending_batches, submissions_of
from deep_images_hub.object_store.keys import manifest_key
from tests.builders import photograph
from tests.integration.portal.conftest import PortalHub, token
from webapp import create_app

TORONTO = (43.6532, -79.3832)


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[PortalHub]:
    """A hub of these tests' own, with limits that a test reaches."""
    with hub_of(max_batch_photographs=4, max_object_bytes=9_000_000) as hub:
        filled = PortalHub(hub)
        filled.labels({"/m/apple": "Apple", "/m/pear": "Pear"})
        for role in ("supplier", "scientist"):
            filled.user(role)
        yield filled


@pytest.fixture(scope="module")
def app(portal: PortalHub) -> Flask:
    app = create_app(hub=portal.hub)
    app.config["TESTING"] = True
    return app


@pytest.fixture(scope="module")
def clients(app: Flask, portal: PortalHub) -> dict[str, FlaskClient]:
    """Clients that stay signed in: hashing passwords is dear."""
    found = {}
    for role in ("supplier", "scientist"):
        client = found[role] = app.test_client()
        fields = {"email": portal.users[role].email, "password": "correct horse battery"}
        client.post("/sign-in", data={**fields, "csrf_token": token(client, "/sign-in")})
    return found


@pytest.fixture
def supplier(clients) -> FlaskClient:
    return clients["supplier"]


@pytest.fixture
def other(clients) -> FlaskClient:
    return clients["scientist"]


FORM = {"label": "/m/apple", "licence": "by", "consent": "yes", "where": "none"}


def page_token(client: FlaskClient) -> str:
    return token(client, "/send?label=/m/apple")


def begin(client: FlaskClient, **fields: str) -> str:
    answer = client.post(
        "/send", data={**FORM, **fields, "csrf_token": page_token(client)}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 201, answer.text
    return answer.json["key"]


def announce(client: FlaskClient, key: str, filename: str, body: bytes, *, sha256: str | None = None):
    said = {"filename": filename, "sha256": sha256 or hashlib.sha256(body).hexdigest()}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = {"Upload-Length": str(len(body)), "Upload-Metadata": metadata, "X-CSRFToken": page_token(client)}
    return client.post(f"/send/{key}/files", headers={**headers, "Accept": "application/json"})


def append(client: FlaskClient, url: str, offset: int, body: bytes, **given: object):
    return client.patch(
        url,
        data=body,
        content_type="application/offset+octet-stream",
        headers={"Upload-Offset": str(offset), "X-CSRFToken": page_token(client), "Accept": "application/json"},
        **given,
    )


def send_file(client: FlaskClient, key: str, filename: str, body: bytes) -> dict:
    url = announce(client, key, filename, body).headers["Location"]
    answer = append(client, url, 0, body)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(body))), answer.text
    return client.get(url).json


def finish(client: FlaskClient, key: str, **fields: str):
    return client.post(f"/send/{key}/finish", data={**fields, "csrf_token": page_token(client)})


def with_position(body: bytes, latitude: float, longitude: float, **more: str) -> bytes:
    """Return a JPEG that says where it was taken."""
    exif = Image.Exif()
    north, east = "N" if latitude > 0 else "S", "E" if longitude > 0 else "W"
    exif.get_ifd(0x8825).update({1: north, 2: _sexagesimal(latitude), 3: east, 4: _sexagesimal(longitude)})
    exif.get_ifd(0x8769).update({0x9003: "2026:05:03 12:00:00", 0x9011: "-04:00"})
    exif[0x010E] = more.get("description", "")
    sent = io.BytesIO()
    Image.open(io.BytesIO(body)).save(sent, "JPEG", quality=92, exif=exif)
    return sent.getvalue()


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = abs(degrees) % 1 * 60
    return (float(int(abs(degrees))), float(int(minutes)), minutes % 1 * 60)


def test_upload_in_parts_becomes_a_batch_like_any_other(portal: PortalHub, supplier: FlaskClient) -> None:
    key = begin(supplier)
    bodies = [photograph(f"parts {number}", (640, 480)) for number in range(2)]
    assert send_file(supplier, key, "first.JPG", bodies[0])["state"] == "good"
    url = announce(supplier, key, "second.jpg", bodies[1]).headers["Location"]
    assert append(supplier, url, 0, bodies[1][:1000]).headers["Upload-Offset"] == "1000"
    assert supplier.head(url).headers["Upload-Offset"] == "1000"
    with portal.hub.engine.connect() as connection:
        assert pending_batches(connection, limit=10) == []
    assert append(supplier, url, 1000, bodies[1][1000:]).status_code == 204

    answer = finish(supplier, key)

    assert answer.location == f"/batches/{key}"
    manifest = manifest_from_json(portal.hub.store.read(manifest_key(key)))
    assert [portal.hub.store.read(sent.object_key) for sent in manifest.objects] == bodies
    assert manifest.attribution == portal.users["supplier"].display_name
    with portal.hub.engine.connect() as connection:
        assert [batch.key for batch in pending_batches(connection, limit=10)] == [key]
        assert [sent.filename for sent in submissions_of(connection, batch_key=key)] == ["first.JPG", "second.jpg"]
    assert list(portal.hub.store.list("uploads/")) == []
    # Asked again, by somebody whose connection broke: the same batch.
    assert finish(supplier, key).location == f"/batches/{key}"
    assert supplier.get(f"/send/{key}").location == f"/batches/{key}"


def test_form_without_scripts_sends_several_photographs_at_once(portal: PortalHub, supplier: FlaskClient) -> None:
    bodies = [photograph(f"form {number}") for number in range(2)]
    files = [(io.BytesIO(body), f"{number}.jpg") for number, body in enumerate(bodies)]
    answer = supplier.post(
        "/send",
        data={**FORM, "where": "named", "place": "Toronto", "photographs": files, "csrf_token": page_token(supplier)},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 302, answer.text
    key = answer.location.rpartition("/")[2]
    with portal.hub.engine.connect() as connection:
        sent = submissions_of(connection, batch_key=key)
        place = connection.execute(
            text("select city from batches join places on places.id = place_id where key = :key"), {"key": key}
        ).scalar_one()
    assert [portal.hub.store.read(one.object_key) for one in sent] == bodies
    assert place == "Toronto"
