"""A batch's result, and who sees it: its supplier and operators; a picture that was refused is nobody else's to see."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageFilter
from sqlalchemy import text

from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.landing import manifest_refused
from deep_images_hub.catalogue.supplier_record import Tally, Week, supplier_record
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.object_store import ObjectStat
from tests.builders import photograph
from tests.integration.portal.conftest import PortalHub
from webapp import create_app

FILES = 8


def blurred(seed: str) -> bytes:
    body = io.BytesIO()
    Image.open(io.BytesIO(photograph(seed, (320, 256)))).filter(ImageFilter.GaussianBlur(4)).save(body, "JPEG")
    return body.getvalue()


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[PortalHub]:
    """A hub of these tests' own: others count what is in theirs."""
    with hub_of() as hub:
        filled = PortalHub(hub)
        filled.labels({"/m/apple": "Apple"})
        for role in ("supplier", "scientist", "premium", "operator"):
            filled.user(role)
        yield filled


@pytest.fixture(scope="module")
def app(portal: PortalHub) -> Flask:
    app = create_app(hub=portal.hub)
    app.config["TESTING"] = True
    return app


@pytest.fixture(scope="module")
def sent(portal) -> dict[str, str]:
    """Send a batch of the supplier's: five fine ones, a blurred one, one that the network doubts later, a broken one.

    Returns the sha256 of some, by what became of them.
    """
    bodies = [*(photograph(f"mine {number}") for number in range(5)), blurred("mine"), photograph("doubted"), b"<html></html>"]
    portal.batch("mine", "/m/apple", bodies, email=portal.users["supplier"].email, hours=99)
    with portal.hub.engine.begin() as connection:
        rows = connection.execute(
            text(
                "select submissions.id, position, sha256 from submissions join batches on batches.id = batch_id"
                " left join images on images.id = image_id where key = 'mine' order by position"
            )
        ).all()
        doubted = DecisionChange(rows[6].id, "review", "label_agreement")
        assert change_decisions(connection, changes=[doubted], cause="network") == 1
    return {"accepted": rows[0].sha256, "blurred": rows[5].sha256, "doubted": rows[6].sha256}


def test_batch_of_a_supplier_shows_what_became_of_each_file_and_why(signed_in, sent) -> None:
    html = signed_in("supplier").get("/batches/mine").text

    assert html.count(">accepted</a>") == 5
    assert "refused: blurred" in html
    assert "scored 0.0" in html
    assert "needs 0.27" in html
    assert "needs a look: it may show something else than its label says" in html
    assert "a network looked at it" in html
    assert "refused: the file is not a picture" in html
    assert "The content is html" in html
    assert "not_an_image" not in html
    for words in ("Refused: blurred", "Needs a look: it may show", "62\u202f%", "The number is the median of 7 pictures"):
        assert words in html, words
    assert html.count("thumbnail.jpg") == 7


def test_batches_of_a_supplier_are_listed_for_them_alone(signed_in, sent) -> None:
    assert "/batches/mine" in signed_in("supplier").get("/batches").text
    assert signed_in("supplier").get("/batches?before=mine").status_code == 200
    assert "You have sent no photographs yet" in signed_in("scientist").get("/batches").text
    assert signed_in("supplier").get("/batches?before=copies").status_code == 404


def test_record_of_a_supplier_counts_what_became_of_everything_they_sent(signed_in, portal: PortalHub, sent) -> None:
    with portal.hub.engine.connect() as connection:
        record = supplier_record(connection, supplier_id=portal.users["supplier"].id)
        assert supplier_record(connection, supplier_id=portal.users["scientist"].id) is None
    assert record is not None
    assert record.total == Tally(batches=1, submitted=FILES, pending=0, accepted=5, rejected=2, review=1)
    assert record.total.acceptance == 5 / FILES
    assert [(label.code, label.tally) for label in record.labels] == [("/m/apple", record.total)]
    assert record.quality is not None
    assert record.labels[0].quality == record.quality
    assert dict(record.reasons) == {("rejected", "blurry"): 1, ("rejected", "not_an_image"): 1, ("review", "label_agreement"): 1}
    # The batch is of a Thursday.
    assert record.weeks == (Week(datetime(2026, 3, 2, tzinfo=UTC), accepted=5, rejected=2, review=1),)

    html = signed_in("supplier").get("/batches").text
    assert "Week from 2 Mar 2026: 5 accepted, 1 in review, 2 refused" in html
    for words in ("blurred", "the file is not a picture", "it may show something else than its label says", "62\u202f%"):
        assert words in html, words


def test_progress_of_a_batch_is_said_to_its_supplier(signed_in, sent) -> None:
    said = signed_in("supplier").get("/batches/mine/progress.json").json
    assert said == {"status": "closed", "submitted": FILES, "accepted": 5, "rejected": 2, "review": 1}


@pytest.mark.parametrize("page", ["/batches/mine", "/batches/mine/report.csv", "/batches/mine/progress.json", "/batches/nothing"])
def test_batch_of_somebody_else_does_not_exist(signed_in, sent, page: str) -> None:
    for role in ("scientist", "premium"):
        answer = signed_in(role).get(page)
        assert answer.status_code == 404
        assert "among yours" in answer.text


def test_report_as_csv_has_a_row_for_each_file(signed_in, sent) -> None:
    for role in ("supplier", "operator"):
        answer = signed_in(role).get("/batches/mine/report.csv")
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Disposition"] == 'attachment; filename="mine.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert [row["position"] for row in rows] == [str(position) for position in range(FILES)]
        assert [row["reason"] for row in rows] == ["", "", "", "", "", "blurry", "label_agreement", "not_an_image"]
        assert rows[5]["sha256"] == sent["blurred"]


def paths_of(sha256: str) -> list[str]:
    return [f"/images/{sha256}", f"/images/{sha256}/picture.jpg", f"/images/{sha256}/thumbnail.jpg"]


@pytest.mark.parametrize("which", ["blurred", "doubted"])
def test_picture_that_was_not_accepted_is_there_for_its_supplier_and_operators_alone(
    visitor: FlaskClient, signed_in, sent, which: str
) -> None:
    others, allowed = (visitor, signed_in("scientist")), (signed_in("supplier"), signed_in("operator"))
    for path in paths_of(sent[which]):
        for client in others:
            answer = client.get(path)
            assert answer.status_code == 404
            assert "public" not in answer.headers.get("Cache-Control", "")
            with_etag = client.get(path, headers={"If-None-Match": f'"{sent[which]}"'})
            assert with_etag.status_code == 404
        for client in allowed:
            answer = client.get(path)
            assert answer.status_code == 200
            assert "private" in answer.headers["Cache-Control"]
            assert "immutable" not in answer.headers["Cache-Control"]
    page = allowed[0].get(f"/images/{sent[which]}").text
    assert "Nobody else sees this picture" in page
    assert "Add to selection" not in page


def test_accepted_picture_is_everybodys(visitor: FlaskClient, sent) -> None:
    assert [visitor.get(path).status_code for path in paths_of(sent["accepted"])] == [200, 200, 200]


def test_copy_of_somebody_elses_hidden_picture_shows_its_sender_the_bytes_and_not_its_page(signed_in, portal, sent) -> None:
    with portal.hub.engine.begin() as connection:
        portal_batch = {"sha256": sent["blurred"], "email": portal.users["scientist"].email}
        connection.execute(
            text(
                "with sent as (insert into batches (key, supplier_id, label_id, licence, manifest_key, status, submitted_count,"
                " rejected_count, submitted_at, closed_at) select 'copies', users.id, (select min(id) from labels), 'by',"
                " 'landing/copies/manifest.json', 'closed', 1, 1, now(), now() from users where email = :email returning id)"
                " insert into submissions (batch_id, position, object_key, filename, size_bytes, status, reason, image_id,"
                " decided_at)"
                " select sent.id, 0, 'landing/copies/0.jpg', 'copy.jpg', 10, 'rejected', 'exact_duplicates', images.id, now()"
                " from sent, images where sha256 = :sha256"
            ),
            portal_batch,
        )
    scientist = signed_in("scientist")
    page, picture, thumbnail = (scientist.get(path).status_code for path in paths_of(sent["blurred"]))

    assert (page, picture, thumbnail) == (404, 200, 200)
    html = scientist.get("/batches/copies").text
    assert "refused: the same picture was here before" in html
    assert f'href="/images/{sent["blurred"]}"' not in html
    assert "no picture to judge" in html


def test_refused_manifest_is_shown_to_whom_it_names_and_to_nobody_else(portal: PortalHub, signed_in) -> None:
    refused = Refused("unknown_label", "There is no label with the code '<b>apple</b>'.")
    found = ObjectStat("may <i>apples</i>.manifest.json", 100, datetime(2026, 5, 3, tzinfo=UTC))
    named = portal.users["supplier"].id
    with portal.hub.engine.begin() as connection:
        manifest_refused(connection, source_url="s3://suppliers", found=found, supplier_id=named, refused=refused)
        nobodys = ObjectStat("nobodys.manifest.json", 1, found.modified_at)
        manifest_refused(connection, source_url="s3://suppliers", found=nobodys, supplier_id=None, refused=refused)

    html = signed_in("supplier").get("/batches").text
    assert "may &lt;i&gt;apples&lt;/i&gt;.manifest.json" in html
    assert "There is no label with the code &#39;&lt;b&gt;apple&lt;/b&gt;&#39;." in html
    assert "nobodys" not in html
    assert "Refused manifests" not in signed_in("scientist").get("/batches").text
