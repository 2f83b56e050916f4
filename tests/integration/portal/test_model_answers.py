"""What a model says of each test picture: the pages that the cells of its confusion matrix lead to."""

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.model_answers import ModelAnswer, answered_pictures, save_answers
from deep_images_hub.catalogue.models import model_by_id
from deep_images_hub.catalogue.network_labels import NetworkLabel, add_network_labels
from webapp import model_answers

APPLE, KITCHEN, SCRIPT = "/m/apple", "/m/hk", "/m/script"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def model_id(portal) -> int:
    """A model that takes all pictures of Hell's Kitchen for apples, the surer the later they came."""
    with portal.hub.engine.connect() as connection:
        model = model_by_id(connection, portal.model_id)
        rows = connection.execute(
            text(
                "select images.id, sha256, labels.code from images join image_labels on image_id = images.id"
                " join labels on labels.id = label_id order by 1"
            )
        ).all()
    made = portal.model(
        SimpleNamespace(id=model.version_id), {**model.metrics, "confusion": [[10, 0, 0], [10, 0, 0], [0, 0, 10]]}
    )
    truth = [model.label_codes.index(row.code) for row in rows]
    with portal.hub.engine.begin() as connection:
        save_answers(
            connection,
            model_id=made,
            answers=[
                ModelAnswer(row.id, index, 0 if index == 1 else index, 0.5 + at / 100, 2 if index == 1 else 1)
                for at, (row, index) in enumerate(zip(rows, truth, strict=True))
            ],
        )
    return made


def test_cells_of_a_matrix_lead_to_their_pictures_surest_first(visitor, portal, model_id) -> None:
    page = visitor.get(f"/models/{model_id}", headers=HTML).text
    cell = re.search(r'href="(/models/\d+/answers\?truth=/?[^"]*hk[^"]*said=[^"]*apple)"', page)
    assert cell is not None

    answers = visitor.get(cell[1].replace("&amp;", "&"), headers=HTML).text

    shown = re.findall(r'class="seen" href="/images/([0-9a-f]{64})"', answers)
    assert shown == list(reversed(portal.images[KITCHEN]))
    assert "taken for <strong>Apple</strong>" in answers
    assert "its label came 2nd" in answers
    assert "looks wrong" not in answers
    assert "<script>alert" not in answers


def test_answers_are_read_page_by_page_without_gaps(visitor, portal, model_id, monkeypatch) -> None:
    monkeypatch.setattr(model_answers, "_PAGE_PICTURES", 4)
    address, shown = f"/models/{model_id}/answers", []
    while address:
        page = visitor.get(address, headers=HTML).text
        shown += re.findall(r'class="seen" href="/images/([0-9a-f]{64})"', page)
        more = re.search(r'href="([^"]+after=[^"]+)"', page)
        address = more[1].replace("&amp;", "&") if more else None
    assert shown == list(reversed(portal.images[KITCHEN]))


def test_whoever_is_signed_in_says_that_a_label_looks_wrong(signed_in, portal, model_id) -> None:
    supplier = signed_in("supplier")
    page = supplier.get(f"/models/{model_id}/answers?truth={KITCHEN}", headers=HTML).text
    report = re.search(r'href="(/images/[0-9a-f]{64}/report\?reason=wrong_label)"', page)
    assert report is not None
    assert re.search(r'value="wrong_label" required checked', supplier.get(report[1], headers=HTML).text)


def test_answers_on_hidden_pictures_are_shown_to_nobody(portal, model_id) -> None:
    hidden = portal.images[SCRIPT][0]
    with portal.hub.engine.connect() as connection:
        asked = {"model_id": model_id, "truth": 2, "said": 2}
        before = answered_pictures(connection, **asked)
        connection.execute(
            text("update image_labels set is_current = false where image_id = (select id from images where sha256 = :sha256)"),
            {"sha256": hidden},
        )
        after = answered_pictures(connection, **asked)
        connection.rollback()
    assert {picture.sha256 for picture in before} - {picture.sha256 for picture in after} == {hidden}


def test_page_of_a_tagged_picture_says_what_the_model_says_and_offers_review_where_it_differs(
    signed_in, visitor, portal, model_id
) -> None:
    sha256 = portal.images[KITCHEN][0]
    with portal.hub.engine.begin() as connection:
        image_id = connection.scalar(text("select id from images where sha256 = :sha256"), {"sha256": sha256})
        assert add_network_labels(connection, model_id=model_id, said=[NetworkLabel(image_id, [0, 1], [0.93, 0.07])]) == 1
    page = visitor.get(f"/images/{sha256}", headers=HTML).text
    assert re.search(rf'href="/models/{model_id}">All &lt;i&gt;food&lt;/i&gt;</a> says <a href="/labels/\d+">Apple</a>', page)
    assert "reason=wrong_label" not in page
    assert f"/images/{sha256}/report?reason=wrong_label" in signed_in("supplier").get(f"/images/{sha256}", headers=HTML).text


def test_answers_of_a_label_that_the_model_does_not_know_are_refused(visitor, portal, model_id) -> None:
    assert visitor.get(f"/models/{model_id}/answers?truth=<script>").status_code == 400
    assert visitor.get(f"/models/{model_id}/answers?after=x").status_code == 400
    assert visitor.get("/models/987654/answers").status_code == 404


def test_model_from_before_answers_were_kept_says_so_and_leads_nowhere(visitor, portal) -> None:
    assert "/answers?truth" not in visitor.get(f"/models/{portal.model_id}", headers=HTML).text
    assert "before answers were kept" in visitor.get(f"/models/{portal.model_id}/answers", headers=HTML).text
