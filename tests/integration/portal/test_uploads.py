"""Sending photographs through the portal: in parts and whole, broken off and gone on with, and who sees what."""

import base64
import hashlib
import io
import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text
from werkzeug.serving import make_server

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


def test_photographs_of_one_name_and_length_are_two(portal: PortalHub, supplier: FlaskClient) -> None:
    bodies = [photograph(f"alike {number}").ljust(20_000, b"\0") for number in range(2)]
    data = {**FORM, "photographs": [(io.BytesIO(body), "image.jpg") for body in bodies], "csrf_token": page_token(supplier)}
    answer = supplier.post("/send", data=data, content_type="multipart/form-data")
    with portal.hub.engine.connect() as connection:
        sent = submissions_of(connection, batch_key=answer.location.rpartition("/")[2])
    assert [portal.hub.store.read(one.object_key) for one in sent] == bodies


def test_form_that_cannot_be_taken_says_what_to_do_and_begins_nothing(portal: PortalHub, supplier: FlaskClient) -> None:
    wrong = {
        "consent": ({"consent": ""}, "tick the box of consent"),
        "licence": ({"licence": "pdm"}, "Choose the licence"),
        "credit": ({"attribution": "Ada\u202e"}, "credit cannot be shown"),
        "city": ({"where": "named", "place": "Nowhere at all"}, "is not known here"),
        "no city": ({"where": "named"}, "Write a city"),
        "where": ({"where": "here"}, "does not say where"),
    }
    for fields, message in wrong.values():
        answer = supplier.post("/send", data={**FORM, **fields, "csrf_token": page_token(supplier)})
        assert answer.status_code == 400
        assert message in answer.text
    answer = supplier.post("/send", data={**FORM, "csrf_token": page_token(supplier)})
    assert (answer.status_code, "Choose at least one" in answer.text) == (400, True)
    assert supplier.post("/send", data={**FORM, "label": "/m/none", "csrf_token": page_token(supplier)}).status_code == 400
    with portal.hub.engine.connect() as connection:
        assert connection.execute(text("select count(*) from uploads")).scalar_one() == 0


def test_form_whose_files_are_refused_says_so_for_each_and_keeps_the_others(portal: PortalHub, supplier: FlaskClient) -> None:
    bodies = [photograph(f"kept {number}") for number in range(5)]
    bodies[1] = b""
    bodies[2] = bytes(9_000_001)
    files = [(io.BytesIO(body), f"{number}.jpg") for number, body in enumerate(bodies)]
    data = {**FORM, "photographs": files, "csrf_token": page_token(supplier)}
    answer = supplier.post("/send", data=data, content_type="multipart/form-data", follow_redirects=True)
    assert "Left out: 1.jpg is empty" in answer.text
    assert "2.jpg has 9.0 MB. Expected at most 9 MB" in answer.text
    key = answer.request.path.rpartition("/")[2]
    with portal.hub.engine.connect() as connection:
        assert [sent.filename for sent in submissions_of(connection, batch_key=key)] == ["0.jpg", "3.jpg", "4.jpg"]


def test_form_with_many_refused_files_says_so_of_a_few(supplier: FlaskClient) -> None:
    files = [(io.BytesIO(photograph("one of many")), "good.jpg")]
    files += [(io.BytesIO(), f"{hashlib.sha256(bytes([number])).hexdigest()}.jpg") for number in range(60)]
    data = {**FORM, "photographs": files, "csrf_token": page_token(supplier)}
    answer = supplier.post("/send", data=data, content_type="multipart/form-data", follow_redirects=True)
    assert [answer.text.count(words) for words in ("is empty", "Left out: 57 more.", "Sent. Thank you!")] == [3, 1, 1]


def test_label_is_asked_for_and_found_by_words(supplier: FlaskClient) -> None:
    assert "What do your photographs show?" in supplier.get("/send").text
    assert "Photographs that show it" in supplier.get("/send?label=apple").text
    assert "Photographs that show it" in supplier.get("/send?label=/m/pear").text
    assert "Which one?" in supplier.get("/send?label=p").text
    assert "No label has" in supplier.get("/send?label=zebra").text


def test_upload_of_somebody_else_cannot_be_seen_sent_to_finished_or_discarded(supplier: FlaskClient, other: FlaskClient) -> None:
    key = begin(supplier)
    file = send_file(supplier, key, "mine.jpg", photograph("mine"))
    url = f"/send/{key}/files/{file['position']}"
    token_header = {"X-CSRFToken": page_token(other), "Accept": "application/json"}
    with Image.open(io.BytesIO(supplier.get(f"{url}/thumbnail.jpg").data)) as shown:
        assert shown.format == "JPEG"
    assert other.get(f"{url}/thumbnail.jpg").status_code == 404
    assert other.get(f"/send/{key}", follow_redirects=True).status_code == 404
    assert [other.get(url).status_code, other.head(url).status_code] == [404, 404]
    assert announce(other, key, "theirs.jpg", b"theirs").status_code == 404
    assert append(other, url, 0, b"theirs").status_code == 404
    assert other.delete(url, headers=token_header).status_code == 404
    for verb in ("finish", "discard"):
        assert other.post(f"/send/{key}/{verb}", headers=token_header).status_code == 404
    assert supplier.get(url).json == file
    # Nor by a form without its token.
    assert supplier.delete(url).status_code == 400
    assert supplier.post(f"/send/{key}/discard", data={"csrf_token": page_token(supplier)}).status_code == 302
    assert supplier.get(url).status_code == 404


def test_hostile_names_and_metadata_do_nothing(portal: PortalHub, supplier: FlaskClient) -> None:
    key = begin(supplier, where="photographs")
    names = {
        "../../etc/passwd\0.jpg": "passwd_.jpg",
        "C:\\photos\\<script>alert(1)</script>.jpg": "script>.jpg",
        "\u202egpj.exe": "_gpj.exe",
        "": "photograph",
    }
    for number, (name, shown) in enumerate(names.items()):
        body = photograph(f"hostile {number}")
        if number == 0:
            body = with_position(body, *TORONTO, description="<script>alert(2)</script>")
        assert send_file(supplier, key, name, body)["filename"] == shown
    page = supplier.get(f"/send/{key}").text
    assert "<script>alert" not in page
    assert finish(supplier, key).status_code == 302
    manifest = manifest_from_json(portal.hub.store.read(manifest_key(key)))
    assert all(sent.object_key.startswith(f"landing/{key}/00000") for sent in manifest.objects)
    first = portal.hub.store.read(manifest.objects[0].object_key)
    # The nearest city is known; the spot is nowhere, the rest of the photograph as it was.
    assert manifest.place_query == "Toronto, Ontario, CA"
    assert str(manifest.objects[0].taken_at) == "2026-05-03 16:00:00+00:00"
    with Image.open(io.BytesIO(first)) as landed:
        assert not any(landed.getexif().get_ifd(0x8825).values())
        landed.load()


def test_request_that_breaks_off_keeps_what_has_come(app: Flask, portal: PortalHub, supplier: FlaskClient) -> None:
    key = begin(supplier)
    body = photograph("broken off")
    url = announce(supplier, key, "1.jpg", body).headers["Location"]
    csrf = page_token(supplier)
    cookie = "; ".join(f"{name}={supplier.get_cookie(name).value}" for name in ("hub_session",))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        head = [
            f"PATCH {url} HTTP/1.1",
            "Host: localhost",
            f"Cookie: {cookie}",
            f"X-CSRFToken: {csrf}",
            "Content-Type: application/offset+octet-stream",
            "Upload-Offset: 0",
            f"Content-Length: {len(body)}",
            "",
            "",
        ]
        connection.sendall("\r\n".join(head).encode() + body[:1500])
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    server.shutdown()
    thread.join()
    server.server_close()
    assert supplier.head(url).headers["Upload-Offset"] == "1500"
    assert append(supplier, url, 1500, body[1500:]).status_code == 204
    assert supplier.get(url).json["state"] == "good"


def test_protocol_is_tus_and_odd_requests_are_answered_with_what_was_expected(supplier: FlaskClient) -> None:
    key = begin(supplier)
    answer = announce(supplier, key, "1.jpg", b"x" * 100)
    url = answer.headers["Location"]
    assert (answer.headers["Tus-Resumable"], answer.headers["Tus-Extension"]) == ("1.0.0", "creation,termination")
    token_header = {"X-CSRFToken": page_token(supplier), "Accept": "application/json"}
    wrong = [
        supplier.patch(url, data=b"x", headers={**token_header, "Upload-Offset": "0"}, content_type="text/plain"),
        append(supplier, url, 7, b"x"),
        supplier.patch(
            url, data=b"x", headers={**token_header, "Upload-Offset": "-1"}, content_type="application/offset+octet-stream"
        ),
        supplier.post(f"/send/{key}/files", headers={**token_header, "Upload-Length": "5", "Upload-Metadata": "filename !"}),
        supplier.get(url, headers={"Tus-Resumable": "0.2.2"}),
        supplier.get(f"/send/{key}/files/99", headers=token_header),
        announce(supplier, key, "2.jpg", b"x", sha256="no hash"),
    ]
    assert [one.status_code for one in wrong] == [415, 409, 400, 400, 412, 404, 400]
    assert finish(supplier, key).status_code == 409
    assert supplier.delete(url, headers=token_header).status_code == 204
