"""Sending photographs by the client, to a portal that really serves, on a hub of their own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from deep_images_hub.catalogue.users import create_user
from deep_images_hub.client import HubClient, sending
from deep_images_hub.errors import InvalidInputError, NotFoundError
from tests.builders import photograph
from tests.integration.portal.conftest import ApiClient, PortalHub, api_token
from tests.integration.portal.serving import Served, let_client_do
from webapp import create_app

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[PortalHub]:
    with hub_of() as hub:
        filled = PortalHub(hub)
        filled.labels({"/m/apple": "Apple", "/m/hk": "Hell's Kitchen"})
        yield filled


@pytest.fixture(scope="module")
def app(portal: PortalHub) -> Flask:
    return create_app(hub=portal.hub)


@pytest.fixture(scope="module")
def served(app: Flask) -> Iterator[Served]:
    served = Served(app)
    yield served
    served.close()


@pytest.fixture
def client(served: Served, portal: PortalHub) -> HubClient:
    with portal.hub.engine.begin() as connection:
        email = f"{len(served.asked)}@example.org"
        user = create_user(connection, email=email, display_name="A client", role="supplier")
    return HubClient(served.url, api_token(portal.hub, user), timeout_s=20)


def test_photographs_are_sent_in_parts_and_on_from_where_they_were_cut_off(client, served, monkeypatch, tmp_path) -> None:
    photographs = []
    for number in range(3):
        photographs.append(tmp_path / f"IMG {number}.jpg")
        photographs[-1].write_bytes(photograph(f"sent {number}"))
    monkeypatch.setattr(sending, "PART_BYTES", 1_500)
    let_client_do(monkeypatch, lambda _seconds: None)
    served.asked.clear()
    served.cuts = 2
    key = client.upload("/m/apple", photographs, licence="by", attribution="A client", workers=2)
    assert served.cuts == 0
    parts = [path for _, path, _ in served.asked if path.endswith("/parts")]
    assert len(parts) == sum(-(-of.stat().st_size // 1_500) for of in photographs), "what had come was not sent again"
    batch = client.batch(key)
    assert (batch.submitted_count, batch.label_code, batch.status) == (3, "/m/apple", "pending")
    files = list(client.files_of_batch(key))
    assert sorted((file.filename, file.size_bytes) for file in files) == [(of.name, of.stat().st_size) for of in photographs]
    assert client.uploads() == []


def test_upload_that_was_left_goes_on_and_refusals_are_said(client, served, tmp_path) -> None:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(photograph("left"))
    bad.write_bytes(b"")
    with pytest.raises(InvalidInputError, match="is empty"):
        client.upload("/m/hk", [good, bad], licence="cc0", workers=1)
    (left,) = client.uploads()
    assert [file.filename for file in left.files] == ["good.jpg"]
    served.asked.clear()
    assert client.upload("/m/hk", [good], licence="cc0", key=left.key) == left.key
    assert not [path for _, path, _ in served.asked if path.endswith("/parts")], "it had come before"
    for wrong in ({"licence": "mine"}, {"licence": "by", "place": "Nowhere at all"}):
        with pytest.raises(InvalidInputError):
            client.upload("/m/hk", [good], **wrong)
    with pytest.raises(NotFoundError):
        client.upload("/m/none", [good], licence="by")


def test_part_whose_answer_was_lost_is_not_sent_again_and_what_is_harmless_is_asked_again(
    client, served, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(sending, "PART_BYTES", 1_500)
    let_client_do(monkeypatch, lambda _seconds: None)
    monkeypatch.setattr(served, "cuts_at", ("/files", "/finish"))
    photo = tmp_path / "lost answer.jpg"
    photo.write_bytes(photograph("lost answer"))
    served.forgets, served.cuts = 1, 2
    key = client.upload("/m/apple", [photo], licence="by")
    assert (served.forgets, served.cuts) == (0, 0)
    assert [(file.filename, file.size_bytes) for file in client.files_of_batch(key)] == [(photo.name, photo.stat().st_size)]


def test_part_in_a_form_is_refused_and_not_passed_over(app, portal) -> None:
    with portal.hub.engine.begin() as connection:
        user = create_user(connection, email="form@example.org", display_name="A form", role="supplier")
    program = ApiClient(app, api_token(portal.hub, user))
    key = program.post("/uploads", {"label": "/m/apple", "licence": "by", "consents": True}).json["key"]
    file = program.post(f"/uploads/{key}/files", {"filename": "1.jpg", "size_bytes": 3}).json
    parts = f"/uploads/{key}/files/{file['position']}/parts?offset=0"
    answer = program.post(parts, data=b"abc", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")
    assert program.post(parts, data=b"abc", content_type="application/octet-stream").json["received_bytes"] == 3


def test_documented_lines_send_a_photograph(client, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(photograph("documented"))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL)
    (lines,) = [of.replace("/m/014j1m", "/m/apple") for of in blocks if "hub.upload(" in of]
    exec(compile(lines, "docs/api.md", "exec"), {"hub": client})
    assert capsys.readouterr().out == "photo.jpg pending None\n"
    assert next(client.batches()).place.city == "Toronto"
