"""A model and what it answers to a photograph, by its page and by its files."""

import hashlib
import io
import re

import pytest

from tests.builders import one_colour, photograph
from tests.integration.portal.conftest import send, token
from webapp.security import PREDICTION_LIMIT


def test_try_it_answers_in_words_and_as_json(signed_in, portal) -> None:
    client = signed_in("premium")
    path = f"/models/{portal.model_id}/try"
    html = send(client, path, picture=(io.BytesIO(photograph("mine")), "<b>mine</b>.jpg")).text
    assert "&lt;b&gt;mine&lt;/b&gt;.jpg" in html
    assert "Hell&#39;s Kitchen" in html
    answer = client.post(
        path,
        data={"picture": (io.BytesIO(photograph("mine")), "mine.jpg"), "csrf_token": token(client, path)},
        headers={"Accept": "application/json"},
    )
    answers = answer.json["answers"]
    assert {found["label"] for found in answers} == {"/m/apple", "/m/hk", "/m/script"}
    assert sum(found["score"] for found in answers) == pytest.approx(1)


def test_try_it_says_none_of_these_and_names_the_closest_label_in_small(signed_in, portal) -> None:
    client, path = signed_in("premium"), f"/models/{portal.model_id}/try"
    far = send(client, path, picture=(io.BytesIO(one_colour(0, 0, 200)), "far.jpg")).text
    near = send(client, path, picture=(io.BytesIO(one_colour(200, 0, 0)), "near.jpg")).text
    assert "None of these, probably:</strong> this looks like nothing the model learned from." in far
    assert "The closest of its labels is " in far
    assert 'class="answers"' in far
    assert "None of these, probably" not in near
    page = client.get(f"/models/{portal.model_id}").text
    section = page.split("When it answers")[1].split("</section>")[0]
    assert "0.100" in section
    assert "60 pictures that look like none it had learnt from pass, and 87.5 % of its test pictures" in " ".join(section.split())


def test_try_it_shows_where_an_answer_is_found(signed_in, portal) -> None:
    client, path = signed_in("premium"), f"/models/{portal.model_id}/try"
    html = send(client, path, picture=(io.BytesIO(photograph("mine")), "mine.jpg")).text
    # The likeliest answer is found somewhere; each answer has its own map.
    assert re.findall(r'data-evidence="(\d)"', html) == ["0", "1", "2"]
    assert "<rect x=" in html.split('data-evidence="0"')[1].split("</svg>")[0]


def test_model_shows_what_it_goes_by_on_pictures_that_are_still_to_be_seen(signed_in, visitor, portal) -> None:
    html = visitor.get(f"/models/{portal.model_id}").text
    section = html.split("What it goes by")[1].split("</section>")[0]
    assert section.count('class="seen"') == 2
    assert "Apple, taken for <strong>Hell&#39;s Kitchen</strong>" in section
    assert f"/images/{portal.images['/m/hk'][0]}/thumbnail.jpg" in section
    assert "0" * 64 not in section
    assert "1" * 64 not in section
    assert "has a wrong label" not in section
    assert f"/images/{portal.images['/m/apple'][0]}/report" in signed_in("scientist").get(f"/models/{portal.model_id}").text


def test_try_it_looks_at_a_picture_of_the_hub_by_its_address(signed_in, portal) -> None:
    client, path = signed_in("premium"), f"/models/{portal.model_id}/try"
    sha256 = portal.images["/m/apple"][0]
    answer = client.get(path, query_string={"image": f"http://localhost/images/{sha256}?x=1"}, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert f"/images/{sha256}/picture.jpg" in answer.text
    assert 'class="answers"' in answer.text
    for unknown in ("0" * 64, "<script>"):
        refused = client.get(path, query_string={"image": unknown}, headers={"Accept": "text/html"})
        assert (refused.status_code, "leads to no picture of this hub" in refused.text) == (404, True)
        assert "<script>&" not in refused.text


@pytest.mark.parametrize("body", [b"", b"<html>", photograph("cut")[:400], b"\x89PNG\r\n\x1a\n" + b"\0" * 60])
def test_try_it_refuses_what_is_no_photograph(signed_in, portal, body) -> None:
    answer = send(signed_in("premium"), f"/models/{portal.model_id}/try", picture=(io.BytesIO(body), "x.jpg"))
    assert answer.status_code == 400
    assert "Send one photograph" in answer.text


def test_try_it_without_a_picture_says_so(signed_in, portal) -> None:
    assert "No picture was sent" in send(signed_in("premium"), f"/models/{portal.model_id}/try").text


def test_upload_beyond_the_limit_is_refused(app, signed_in, portal, monkeypatch) -> None:
    client = signed_in("premium")
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 20_000)
    answer = send(client, f"/models/{portal.model_id}/try", picture=(io.BytesIO(b"0" * 30_000), "x.jpg"))
    assert answer.status_code == 413
    assert "At most 20 kB are taken" in answer.text


def test_model_files_are_downloaded_by_premium_accounts(signed_in, portal) -> None:
    client = signed_in("premium")
    answer = client.get(f"/models/{portal.model_id}/files/model.onnx")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["ETag"].strip('"') == hashlib.sha256(answer.data).hexdigest()
    rest = client.get(f"/models/{portal.model_id}/files/model.onnx", headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.data) == (206, answer.data[100:])
    page = client.get(f"/models/{portal.model_id}").text
    assert hashlib.sha256(answer.data).hexdigest() in page
    assert f'href="/models/{portal.model_id}/files/model.keras"' in page
    assert client.get(f"/models/{portal.model_id}/files/model.pickle").status_code == 404


def test_too_many_predictions_are_put_off(signed_in, portal) -> None:
    client = signed_in("premium")
    allowed = int(PREDICTION_LIMIT.split()[0])
    fields = {"csrf_token": token(client, f"/models/{portal.model_id}/try")}
    # That there is no such model is quickly said, and counts like any other answer.
    statuses = [client.post("/models/999999/try", data=fields).status_code for _ in range(allowed)]
    assert statuses == [404] * allowed
    assert client.post(f"/models/{portal.model_id}/try", data=fields).status_code == 429
