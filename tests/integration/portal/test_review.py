"""Review in the portal: forms without scripts, what a script is told, who may, and names that mean harm."""

from collections.abc import Iterator

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from deep_images_hub.catalogue import reviews
from deep_images_hub.catalogue.batches import batch_by_key
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.embeddings import Embedding, add_embeddings
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.errors import UnavailableError
from tests.builders import PASSWORD, photographs
from tests.integration.portal.conftest import PortalHub, send, token
from webapp import create_app

HARM = "<script>alert('label')</script>"


class ReviewHub(PortalHub):
    """A hub of sixteen pictures of one batch, all but two of which a network doubts. Every test goes on with what waits still."""

    def doubted(self) -> list[int]:
        with self.hub.engine.connect() as connection:
            rows = connection.execute(text("select id from submissions where status = 'review' order by id"))
            return list(rows.scalars())


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[ReviewHub]:
    with hub_of() as hub:
        filled = ReviewHub(hub)
        filled.labels({"/m/food": "Food", "/m/apple": "Apple", "/m/script": HARM}, under={"/m/apple": "/m/food"})
        for role in ("supplier", "operator"):
            filled.user(role, "Grace" if role == "operator" else None)
        filled.batch("doubted", "/m/apple", photographs(16, seed="doubted"), supplier="Ada <b>Nowak</b>")
        with hub.engine.begin() as connection:
            ids = connection.execute(text("select id, image_id from submissions order by position limit 14")).all()
            seen = Embedding(ids[0].image_id, np.ones(3, np.float32), [948, 950, 951], [0.5, 0.25, 0.125])
            add_embeddings(connection, model="m", rows=[seen])
            connection.execute(
                text(
                    "insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome, detail)"
                    " select id, 'label_agreement', 1, 0.05, 0.2, 'fail', :detail from submissions where id = any(:ids)"
                ),
                {"detail": f"looks like {HARM}", "ids": [row.id for row in ids]},
            )
            changes = [DecisionChange(row.id, "review", "label_agreement") for row in ids]
            assert change_decisions(connection, changes=changes, cause="network") == 14
        yield filled


@pytest.fixture(scope="module")
def app(portal: ReviewHub) -> Flask:
    app = create_app(hub=portal.hub)
    app.config["TESTING"] = True
    return app


@pytest.fixture(scope="module")
def operator(app: Flask, portal: ReviewHub) -> FlaskClient:
    client = app.test_client()
    send(client, "/sign-in", email=portal.users["operator"].email, password=PASSWORD)
    return client


def counts(portal: ReviewHub) -> tuple[int, int, int]:
    with portal.hub.engine.begin() as connection:
        assert recount(connection) == []
        batch = batch_by_key(connection, "doubted")
    assert batch.review_count == len(portal.doubted())
    return (batch.accepted_count, batch.rejected_count, batch.review_count)


def test_picture_in_review_is_shown_with_all_that_helps_to_decide(operator, portal) -> None:
    html = operator.get("/review").text

    for words in (
        "Needs a look: it may show something else than its label says",
        "Scored 0.05, needs 0.20",
        "Granny Smith",
        "50\u202f%",
        "looks like &lt;script&gt;",
        "Ada &lt;b&gt;Nowak",
        "doubted",
        "Apple (14)",
        "Review<span",
    ):
        assert words in html, words
    assert HARM not in html
    assert html.count("thumbnail.jpg") == 2


def test_nobody_else_is_shown_that_something_waits(signed_in, visitor) -> None:
    for client in (visitor, signed_in("supplier")):
        assert 'href="/review"' not in client.get("/labels").text
        assert client.post("/review/accept", headers={"Accept": "application/json"}).status_code in (400, 403)


def test_page_of_an_error_is_shown_though_nobody_can_say_what_waits(operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_connection: Connection) -> int:
        raise UnavailableError("The catalogue does not answer.")

    monkeypatch.setattr(reviews, "waiting_count", unavailable)
    assert operator.get("/no-such-page").status_code == 404


def test_decisions_by_form_lead_from_picture_to_picture_and_counts_add_up(operator, portal) -> None:
    client, ids = operator, portal.doubted()
    steps = [
        ("accept", {}, (3, 0, 13)),
        ("reject", {"reason": "wrong_label"}, (3, 1, 12)),
        ("relabel", {"label": HARM}, (4, 1, 11)),
        ("relabel", {"label": "/m/food"}, (5, 1, 10)),
    ]
    for submission_id, (deed, fields, after) in zip(ids, steps, strict=False):
        answer = send(client, f"/review/{deed}?label=/m/apple", submission_id=submission_id, **fields)
        assert (answer.status_code, answer.location) == (302, f"/review?label=/m/apple&after={submission_id}")
        assert counts(portal) == after
    page = client.get(f"/review?label=/m/apple&after={ids[3]}").text
    assert f'name="submission_id" value="{ids[4]}"' in page
    assert "accepted as Food" in page


def test_undo_brings_the_picture_back_and_shows_it(operator, portal) -> None:
    client, ids = operator, portal.doubted()
    before, headers = counts(portal), {"Accept": "application/json"}
    data = {"submission_id": ids[1], "csrf_token": token(client)}
    told = client.post("/review/accept", data=data, headers=headers).json
    assert told["waiting"] == len(ids) - 1
    assert told["latest"]["words"] == "accepted as Apple"

    answer = send(client, "/review/undo?label=/m/apple", change_id=told["latest"]["change_id"])

    assert answer.location == f"/review?label=/m/apple&after={ids[1] - 1}"
    assert f'name="submission_id" value="{ids[1]}"' in client.get(answer.location).text
    assert counts(portal) == before
    again = send(client, "/review/undo", change_id=told["latest"]["change_id"])
    assert "no longer stands" in client.get(again.location).text


def test_second_operator_is_told_who_was_first_and_nothing_is_changed(operator, signed_in, portal) -> None:
    ids, second = portal.doubted(), signed_in("operator")
    send(operator, "/review/accept", submission_id=ids[0])
    before = counts(portal)

    answer = send(second, "/review/reject", submission_id=ids[0], reason="blurry")
    assert "not in review any more: Grace accepted it" in second.get(answer.location).text
    data = {"submission_id": ids[0], "reason": "blurry", "csrf_token": token(second)}
    told = second.post("/review/reject", data=data, headers={"Accept": "application/json"})
    assert (told.status_code, told.json["error"]["code"]) == (409, "conflict")
    assert counts(portal) == before


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("accept", {}, 400),
        ("accept", {"submission_id": "1 or 1=1"}, 400),
        ("accept", {"submission_id": "99999999"}, 404),
        ("reject", {"submission_id": "1", "reason": "ugly"}, 400),
        ("relabel", {"submission_id": "1", "label": "no such label"}, 400),
        ("relabel", {"submission_id": "1", "label": "\x00'"}, 400),
        ("undo", {"change_id": "12345"}, 404),
    ],
)
def test_form_that_makes_no_sense_changes_nothing(operator, portal, path: str, fields: dict[str, str], status: int) -> None:
    before = counts(portal)
    assert send(operator, f"/review/{path}", **fields).status_code == status
    assert counts(portal) == before


def test_filters_show_what_they_name_and_say_when_there_is_nothing(operator, portal) -> None:
    client, ids = operator, portal.doubted()

    assert client.get("/review?label=%00").status_code == 400
    assert f'value="{ids[0]}"' in client.get("/review?batch=doubted&reason=label_agreement").text
    for query in ("label=/m/food", "reason=dark", "batch=%3Cscript%3E"):
        assert "No picture of this kind is in review" in client.get(f"/review?{query}").text, query
    assert "That was the last one" in client.get(f"/review?after={ids[-1]}").text
    assert client.get(f"/review?after={ids[-1]}&part=1").status_code == 204
    part = client.get(f"/review?after={ids[0]}&part=1").text
    assert f'data-submission="{ids[1]}"' in part
    assert "<html" not in part


def test_decision_is_in_the_pictures_history_for_operators_and_in_words_for_its_supplier(operator, portal) -> None:
    client, ids = operator, portal.doubted()
    send(client, "/review/reject", submission_id=ids[0], reason="not_a_photograph")
    with portal.hub.engine.connect() as connection:
        sha256 = connection.scalar(
            text("select sha256 from submissions join images on images.id = image_id where submissions.id = :id"), {"id": ids[0]}
        )

    page = client.get(f"/images/{sha256}").text
    assert "Did somebody look at it, and let it in?" in page
    assert "Grace" in page
    batch = client.get("/batches/doubted").text
    assert "refused: a drawing, a screenshot or a montage" in batch
    assert "not_a_photograph" not in batch
