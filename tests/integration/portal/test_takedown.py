"""Reporting a picture and taking it down: who may, what it reaches, and that nothing that was frozen changes."""

import html
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.batches import batch_by_key
from deep_images_hub.catalogue.datasets import DatasetVersion, training_pictures, version_by_id, version_items
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions, submission_of_object
from deep_images_hub.catalogue.embeddings import Embedding, add_embeddings
from deep_images_hub.catalogue.images import image_by_sha256
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.patches import unpatched_versions_with
from deep_images_hub.catalogue.picture_reports import report_picture
from deep_images_hub.datasets import takedown
from deep_images_hub.datasets.takedown import take_down
from deep_images_hub.errors import ConflictError, NotFoundError
from deep_images_hub.wiring import Hub
from spark_jobs.training_set import TrainingSet, features_by_position
from tests.builders import PASSWORD, photographs
from tests.integration.catalogue.test_concurrent_counts import run_together
from tests.integration.portal.conftest import HALVES, PortalHub, send
from webapp import create_app

HARM = "<script>alert('note')</script>\n\"' or 1=1 --"


def filled(hub: Hub) -> PortalHub:
    """Fill a hub with four batches of four pictures, a dataset of all of them and a model."""
    portal = PortalHub(hub)
    portal.labels(
        {"/m/food": "Food", "/m/apple": "Apple", "/m/pear": "Pear"}, under={"/m/apple": "/m/food", "/m/pear": "/m/food"}
    )
    for role in ("supplier", "premium", "operator"):
        portal.user(role, "Grace" if role == "operator" else None)
    email = portal.users["supplier"].email
    portal.images = {}
    for number, code in enumerate(("/m/apple", "/m/pear", "/m/apple", "/m/pear")):
        sent = portal.batch(f"b{number}", code, photographs(4, seed=f"takedown {number}"), email=email, hours=number)
        portal.images.setdefault(code, []).extend(sent)
    version = portal.version("/m/food", name="All food", fractions=HALVES)
    portal.version_id = version.id
    portal.model_id = portal.model(version)
    return portal


def app_of(portal: PortalHub) -> Flask:
    app = create_app(hub=portal.hub)
    app.config["TESTING"] = True
    return app


def clients_of(app: Flask, portal: PortalHub) -> dict[str, FlaskClient]:
    """Return clients that are signed in, by role, and one that is not."""
    found = {"nobody": app.test_client()}
    for role in ("supplier", "premium", "operator"):
        found[role] = app.test_client()
        send(found[role], "/sign-in", email=portal.users[role].email, password=PASSWORD)
    return found


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[PortalHub]:
    """Give a hub for tests that need no other picture to be as it was: each takes down its own."""
    with hub_of() as hub:
        yield filled(hub)


@pytest.fixture(scope="module")
def app(portal: PortalHub) -> Flask:
    return app_of(portal)


@pytest.fixture(scope="module")
def clients(app: Flask, portal: PortalHub) -> dict[str, FlaskClient]:
    return clients_of(app, portal)


@pytest.fixture
def own_portal(hub_of) -> Iterator[PortalHub]:
    """Give a hub to one test alone, which counts what is there."""
    with hub_of() as hub:
        yield filled(hub)


@pytest.fixture
def own_clients(own_portal: PortalHub) -> dict[str, FlaskClient]:
    return clients_of(app_of(own_portal), own_portal)


def files_of(client: FlaskClient, version_id: int) -> tuple[set[str], dict, str]:
    """Return the sha256 of a download's pictures, its manifest and its card."""
    answer = client.get(f"/datasets/{version_id}/download")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert len(answer.data) == int(answer.headers["Content-Length"])
        pictures = {name.rpartition("/")[2][:-4] for name in archive.namelist() if name.endswith(".jpg")}
        return pictures, json.loads(archive.read("manifest.json")), archive.read("README.md").decode()


def report(portal: PortalHub, sha256: str, role: str = "premium", reason: str = "people") -> None:
    with portal.hub.engine.begin() as connection:
        image_id = image_by_sha256(connection, sha256).image_id
        assert report_picture(connection, image_id=image_id, user_id=portal.users[role].id, reason=reason, note="")


def remove(portal: PortalHub, sha256: str) -> None:
    with portal.hub.engine.begin() as connection:
        take_down(connection, sha256=sha256, user_id=portal.users["operator"].id)


def test_anybody_with_an_account_reports_a_picture_once_and_operators_read_it(own_clients, own_portal) -> None:
    clients, portal = own_clients, own_portal
    sha256 = portal.images["/m/apple"][0]
    assert "Report this picture" not in clients["nobody"].get(f"/images/{sha256}").text
    assert "Report this picture" in clients["premium"].get(f"/images/{sha256}").text
    assert "It shows people or private things" in clients["premium"].get(f"/images/{sha256}/report").text

    for thanks in ("Thank you", "You have reported this picture before"):
        answer = send(clients["premium"], f"/images/{sha256}/report", reason="people", note=HARM)
        assert answer.location == f"/images/{sha256}"
        assert thanks in clients["premium"].get(answer.location).text
    send(clients["supplier"], f"/images/{sha256}/report", reason="rights", note="")

    html = clients["operator"].get("/review/reports").text
    assert html.count("The reported picture") == 1
    assert "A premium" in html
    assert "&lt;script&gt;alert" in html
    assert "<script>alert" not in html
    assert "1 dataset has it" in html
    assert "1 model learnt from it" in html


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "is no reason of a report"),
        ({"reason": "x" * 99}, "Expected one of people"),
        ({"reason": "other", "note": "x" * 1001}, "1,001"),
    ],
)
def test_report_that_makes_no_sense_says_so_and_keeps_what_was_written(clients, portal, fields, message: str) -> None:
    answer = send(clients["premium"], f"/images/{portal.images['/m/pear'][0]}/report", **fields)
    assert answer.status_code == 400
    assert message in answer.text
    assert fields.get("note", "") in answer.text


def test_picture_that_is_kept_is_as_it_was_and_the_second_operator_is_told(clients, portal) -> None:
    sha256 = portal.images["/m/pear"][1]
    report(portal, sha256)

    send(clients["operator"], "/review/reports/keep", sha256=sha256)

    assert clients["nobody"].get(f"/images/{sha256}").status_code == 200
    for deed in ("keep", "take-down"):
        answer = send(clients["operator"], f"/review/reports/{deed}", sha256=sha256)
        assert "No report of this picture is open any more: Grace kept it" in clients["operator"].get(answer.location).text
    assert clients["nobody"].get(f"/images/{sha256}").status_code == 200


def test_picture_that_is_taken_down_is_gone_at_once_and_what_was_frozen_gets_a_patch(own_clients, own_portal) -> None:
    clients, portal = own_clients, own_portal
    sha256, version_id = portal.images["/m/apple"][0], portal.version_id
    before, manifest_before, card_before = files_of(clients["premium"], version_id)
    assert sha256 in before
    assert "taken_down" not in manifest_before
    assert "## Taken down" not in card_before

    report(portal, sha256)
    answer = send(clients["operator"], "/review/reports/take-down", sha256=sha256)
    assert "1 dataset was patched" in clients["operator"].get(answer.location).text

    for path in (f"/images/{sha256}", f"/images/{sha256}/picture.jpg", f"/images/{sha256}/thumbnail.jpg"):
        for role in ("nobody", "premium", "supplier"):
            assert clients[role].get(path).status_code == 404, (role, path)
    assert clients["operator"].get(f"/images/{sha256}/report").status_code == 404
    assert clients["operator"].get(f"/images/{sha256}/picture.jpg").status_code == 200
    assert "Operators alone see this picture: refused, taken down" in clients["operator"].get(f"/images/{sha256}").text
    pictures = f"/datasets/{version_id}/pictures?label=/m/apple"
    for page in (f"/labels/{portal.label('/m/apple').id}", "/", f"/datasets/{version_id}", pictures, "/batches/b0"):
        assert sha256 not in clients["supplier"].get(page).text, page
    assert "1 picture of these left the hub" in clients["nobody"].get(pictures).text
    assert "refused: taken down after a report" in clients["supplier"].get("/batches/b0").text
    with portal.hub.engine.begin() as connection:
        assert recount(connection) == []
        batch = batch_by_key(connection, "b0")
        assert (batch.accepted_count, batch.rejected_count) == (3, 1)
        # The version itself has every picture still; nothing reads that one any more.
        frozen = version_by_id(connection, version_id)
        assert len(list(version_items(connection, version_id))) == frozen.image_count == 16
        assert len(training_pictures(connection, version_id)) == 15
        patch = version_by_id(connection, frozen.patched_by)
    after, manifest, card = files_of(clients["premium"], version_id)
    assert after == before - {sha256}
    assert (manifest["taken_down"], manifest["digest"]) == ([sha256], patch.digest)
    assert patch.digest != frozen.digest
    assert "had and that were taken down since: 1" in card
    page = clients["nobody"].get(f"/datasets/{version_id}").text
    assert "1 picture of this dataset was taken down" in page
    assert frozen.digest in page
    assert f'href="/datasets/{patch.id}"' in page
    assert "This is a patch: without 1 picture" in clients["nobody"].get(f"/datasets/{patch.id}").text
    changes = clients["nobody"].get(f"/datasets/{patch.id}/changes?since={version_id}&kind=removed").text
    assert "1 picture of these left the hub and is not shown" in changes
    assert sha256 not in changes
    assert "1 picture of the dataset that this model was trained on was taken down" in (
        clients["nobody"].get(f"/models/{portal.model_id}").text
    )


def test_picture_that_was_taken_down_comes_back_by_nothing(portal) -> None:
    sha256 = portal.images["/m/apple"][1]
    report(portal, sha256)
    remove(portal, sha256)
    with portal.hub.engine.begin() as connection:
        of = submission_of_object(connection, image_by_sha256(connection, sha256).original_key)
        with pytest.raises(ConflictError, match="what was taken down stay out"):
            change_decisions(connection, changes=[DecisionChange(of, "accepted", None)], cause="redecide")
    again = portal.version("/m/food", name="Food again", fractions=HALVES)
    with portal.hub.engine.connect() as connection:
        assert sha256 not in {picture.sha256 for picture in version_items(connection, again.id)}


def test_second_takedown_patches_the_patch(own_clients, own_portal) -> None:
    clients, portal = own_clients, own_portal
    first, second = portal.images["/m/apple"][0], portal.images["/m/pear"][1]
    for sha256 in (first, second):
        report(portal, sha256)
        remove(portal, sha256)

    pictures, manifest, card = files_of(clients["premium"], portal.version_id)

    assert {first, second}.isdisjoint(pictures)
    assert len(pictures) == 14
    assert manifest["taken_down"] == sorted([first, second])
    assert "taken down since: 2" in card
    described = clients["nobody"].get(f"/datasets/{portal.version_id}/croissant.json").get_json(force=True)
    assert (described["version"], described["identifier"]) == ("3.0.0", f"sha256:{manifest['digest']}")
    assert "application/ld+json" not in clients["nobody"].get(f"/datasets/{portal.version_id}").text
    listed = clients["premium"].get(f"/datasets/{portal.version_id}/exports/csv/pictures.csv").text
    assert {row.split(",")[5] for row in listed.splitlines()[1:]} == pictures
    assert "This is what is left of it" in clients["premium"].get(f"/datasets/{portal.version_id}/exports/webdataset").text
    assert "2 pictures of this dataset were taken down" in clients["nobody"].get(f"/datasets/{portal.version_id}").text


def test_version_of_which_nothing_is_left_says_so(clients, portal) -> None:
    sha256 = portal.images["/m/pear"][2]
    version = portal.version(name="One pear", pictures=(sha256,))
    report(portal, sha256)
    remove(portal, sha256)

    answer = clients["premium"].get(f"/datasets/{version.id}/download")

    assert answer.status_code == 409
    assert "Every picture of this dataset was taken down" in answer.text
    page = clients["premium"].get(f"/datasets/{version.id}").text
    assert "Nothing is left of it to download" in page
    for offer in ("/download", "/exports/", "/links/", "/train"):
        assert offer not in page
    for path in ("exports/csv", "croissant.json"):
        assert clients["premium"].get(f"/datasets/{version.id}/{path}").status_code == 409


def test_picture_whose_label_is_said_to_be_wrong_goes_into_review_and_comes_out_relabelled(clients, portal) -> None:
    sha256 = portal.images["/m/pear"][3]
    before = portal.version(name="A pear", pictures=(sha256,))
    report(portal, sha256, reason="wrong_label")
    assert clients["operator"].get("/review/reports").text.count("Review its label") == 1

    answer = send(clients["operator"], "/review/reports/doubt", sha256=sha256)

    html = clients["operator"].get(answer.location).text
    assert f"/images/{sha256}/picture.jpg" in html
    assert clients["nobody"].get(f"/images/{sha256}").status_code == 404
    with portal.hub.engine.connect() as connection:
        of = submission_of_object(connection, image_by_sha256(connection, sha256).original_key)
    send(clients["operator"], "/review/relabel", submission_id=of, label="apple")
    assert clients["nobody"].get(f"/images/{sha256}").status_code == 200
    with portal.hub.engine.begin() as connection:
        assert recount(connection) == []
        assert image_by_sha256(connection, sha256).label_code == "/m/apple"
    after = portal.version(name="An apple", pictures=(sha256,))
    changes = clients["nobody"].get(f"/datasets/{after.id}/changes?since={before.id}").text
    assert '<span class="soft">Pear →</span> Apple' in changes
    again = send(clients["operator"], "/review/reports/doubt", sha256=sha256)
    assert "No report of this picture is open any more: Grace kept it" in clients["operator"].get(again.location).text


def test_picture_that_was_taken_down_cannot_be_reported_any_more(portal) -> None:
    sha256 = portal.images["/m/pear"][6]
    report(portal, sha256)
    remove(portal, sha256)
    with portal.hub.engine.begin() as connection:
        image_id = image_by_sha256(connection, sha256).image_id
        with pytest.raises(NotFoundError, match="it was taken down"):
            report_picture(connection, image_id=image_id, user_id=portal.users["premium"].id, reason="people", note="")


def test_run_that_waits_trains_on_the_pictures_that_are_left_and_on_their_features(portal) -> None:
    sha256 = portal.images["/m/pear"][4]
    report(portal, sha256)
    remove(portal, sha256)
    with portal.hub.engine.begin() as connection:
        every = connection.execute(text("select image_id from dataset_items where version_id = :id"), {"id": portal.version_id})
        seen = {image_id: np.full(3, number, np.float32) for number, image_id in enumerate(every.scalars())}
        add_embeddings(connection, model="m", rows=[Embedding(*row) for row in seen.items()])
        left = TrainingSet.of_version(connection, portal.version_id)

        features = features_by_position(connection, left, model="m", version_id=portal.version_id)

    assert len(left.pictures) < len(seen)
    assert features.tolist() == [seen[picture.image_id].tolist() for picture in left.pictures]


def test_version_whose_patch_lost_everything_says_that_nothing_is_left(clients, portal) -> None:
    both = tuple(portal.images["/m/apple"][2:4])
    version = portal.version(name="Two apples", pictures=both)
    for sha256, words in zip(both, ("What is left is a dataset of its own", "Nothing is left of it to download"), strict=True):
        report(portal, sha256)
        remove(portal, sha256)
        assert words in clients["nobody"].get(f"/datasets/{version.id}").text


def test_two_pictures_of_one_version_are_taken_down_at_once(clients, portal, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of different batches: a batch is locked too.
    both = (portal.images["/m/apple"][5], portal.images["/m/pear"][5])
    marked = threading.Barrier(len(both))

    def versions_when_both_are_marked(connection: Connection, *, image_id: int) -> list[DatasetVersion]:
        # Each would wait for the other's picture from here on; whoever comes alone goes on after a moment.
        with suppress(threading.BrokenBarrierError):
            marked.wait(0.5)
        return unpatched_versions_with(connection, image_id=image_id)

    monkeypatch.setattr(takedown, "unpatched_versions_with", versions_when_both_are_marked)
    for sha256 in both:
        report(portal, sha256)

    assert run_together(*(lambda sha256=sha256: remove(portal, sha256) for sha256 in both)) == []

    pictures, _, _ = files_of(clients["premium"], portal.version_id)
    assert pictures.isdisjoint(both)


def test_selection_lets_go_of_a_picture_that_was_taken_down(clients, portal) -> None:
    client, sha256 = clients["premium"], portal.images["/m/apple"][4]
    send(client, "/selection/labels/add", label_code="/m/food")
    send(client, "/selection/pictures/add", sha256=sha256)
    report(portal, sha256)
    remove(portal, sha256)

    assert "1 picture of the selection left the hub" in client.get("/selection").text

    assert "left the hub" not in client.get("/selection").text
    assert send(client, "/selection/freeze", name="What is left").status_code == 302


def test_links_of_before_a_takedown_join_no_halves(clients, portal) -> None:
    stays, goes = portal.images["/m/apple"][6:8]
    version = portal.version(name="Halves", pictures=(stays, goes))

    def link(path: str) -> str:
        page = html.unescape(clients["premium"].get(path).text)
        return re.search(r"http://localhost(/datasets/links/[^'\s]+)", page)[1]

    visitor, rest = clients["nobody"], {"Range": "bytes=100-"}
    zipped, listed = link(f"/datasets/{version.id}"), link(f"/datasets/{version.id}/exports/webdataset")
    shard = visitor.get(listed).text.split()[0].removeprefix("http://localhost")
    assert [visitor.get(address, headers=rest).status_code for address in (zipped, shard)] == [206, 206]

    report(portal, goes)
    remove(portal, goes)

    answer = visitor.get(zipped, headers=rest)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
    for address in (listed, shard):
        answer = visitor.get(address, headers=rest)
        assert answer.status_code == 409
        assert "Open the dataset's page for a new link" in html.unescape(answer.text)
