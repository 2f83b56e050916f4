"""From a selection to a dataset, its download, and a model of it."""

import hashlib
import io
import json
import re
import time
import zipfile

import pytest

from deep_images_hub.catalogue.training import add_event, finish_run, run_by_id, take_run
from deep_images_hub.datasets.recipe import SplitFractions
from tests.builders import one_colour, photograph
from tests.integration.portal.conftest import HALVES, send, token
from webapp import selection
from webapp.security import PREDICTION_LIMIT

OPTIONS = {"options": "1", "with_descendants": "1", "train": "50", "validation": "0", "test": "50"}


def test_selection_counts_what_the_dataset_will_hold_and_freezes_it(signed_in, portal) -> None:
    client = signed_in("scientist")
    left_out = portal.images["/m/apple"][0]
    send(client, "/selection/labels/add", label_code="/m/food")
    send(client, "/selection/pictures/leave-out", sha256=left_out)
    counted = send(client, "/selection/count", **OPTIONS).text
    assert ">29</td>" in counted
    assert "of pictures to download" in counted
    answer = send(client, "/selection/freeze", name="Mine", **OPTIONS)
    assert answer.status_code == 302
    page = client.get(answer.location).text
    assert "Mine" in page
    assert "1 picture</dd>" in page
    again = send(client, "/selection/freeze", name="Another name", **OPTIONS)
    assert again.location == answer.location
    assert "were frozen before, as “Mine”" in client.get(again.location).text
    send(client, "/selection/pictures/readmit", sha256=left_out)
    whole = send(client, "/selection/freeze", name="All of it", **OPTIONS)
    assert whole.location == f"/datasets/{portal.version_id}"


def test_page_of_a_dataset_says_what_it_is_made_of_and_how_it_is_cited(visitor, portal) -> None:
    html = visitor.get(f"/datasets/{portal.version_id}").text
    assert "@misc{deepimageshub-" in html
    assert 'rel="license noreferrer">CC0 1.0</a>' in html
    assert html.count('class="bar stacked"') == 4
    assert "All &lt;i&gt;food&lt;/i&gt;" in html


def test_changes_between_two_datasets_are_listed_by_kind_and_paged(visitor, portal, monkeypatch) -> None:
    left_out, *kept = portal.images["/m/apple"]
    before = portal.version("/m/apple", name="Before", fractions=HALVES)
    after = portal.version(
        "/m/hk", name="After", pictures=tuple(kept), left_out=(left_out,), fractions=SplitFractions(1.0, 0.0, 0.0)
    )
    path = f"/datasets/{after.id}/changes?since={before.id}"
    html = visitor.get(path).text
    assert all(words in html for words in ('Added <span class="numeric">10<', 'Removed <span class="numeric">1<'))
    assert html.count('<li class="ratio-') == 10
    assert f"/images/{left_out}" in visitor.get(f"{path}&kind=removed").text
    moved = visitor.get(f"{path}&kind=moved").text
    count = moved.count('<span class="soft">test →</span> train')
    # The picture that is left out is of one of the two batches, of five pictures each.
    assert count in (4, 5)
    assert f'aria-current="page">In another split <span class="numeric">{count}<' in moved
    monkeypatch.setattr("webapp.datasets.CHANGES_PAGE", 4)
    more, seen = f"{path}&kind=added", []
    while more:
        html = visitor.get(more).text
        seen += re.findall(r'href="/images/([0-9a-f]{64})"', html)
        found = re.search(r'<p class="more"><a class="button" href="([^"]+)"', html)
        more = found and found[1].replace("&amp;", "&")
    assert sorted(seen) == sorted(portal.images["/m/hk"])
    assert "both have the same" in visitor.get(f"/datasets/{before.id}/changes?since={before.id}").text
    for query, status in (("", 400), ("?since=x", 400), (f"?since={before.id}&kind=x", 400), ("?since=999999", 404)):
        assert visitor.get(f"/datasets/{after.id}/changes{query}").status_code == status


def test_selection_of_one_picture_makes_a_dataset(signed_in, portal) -> None:
    client = signed_in("scientist")
    send(client, "/selection/pictures/add", sha256=portal.images["/m/hk"][0])
    answer = send(client, "/selection/freeze", name="One", **OPTIONS)
    assert ">1</dd>" in client.get(answer.location).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "name has 0 characters"),
        ({"name": "x", "train": "90"}, "add up to 1"),
        ({"name": "x", "max_per_label": "0"}, "expected 1 or more"),
        ({"name": "x", "city": "Atlantis"}, "No picture fits"),
        ({"name": "x", "licences": "mit"}, "not a licence"),
    ],
)
def test_selection_that_cannot_be_frozen_says_why(signed_in, fields, words) -> None:
    client = signed_in("scientist")
    send(client, "/selection/labels/add", label_code="/m/apple")
    answer = send(client, "/selection/freeze", **{**OPTIONS, **fields})
    assert answer.status_code == 400
    assert words in answer.text


def test_label_or_picture_that_does_not_exist_is_not_selected(visitor) -> None:
    assert send(visitor, "/selection/labels/add", label_code="/m/none").status_code == 404
    assert send(visitor, "/selection/pictures/add", sha256="0" * 64).status_code == 404
    assert send(visitor, "/selection/pictures/add", sha256="x").status_code == 404


def test_picture_that_is_named_again_and_again_is_looked_up_once(visitor, portal, monkeypatch) -> None:
    looked_up = []
    found = selection.image_by_sha256
    monkeypatch.setattr(selection, "image_by_sha256", lambda *asked: looked_up.append(asked[1]) or found(*asked))
    sha256 = portal.images["/m/apple"][0]

    answer = send(visitor, "/selection/pictures/add", sha256=[sha256] * 50)

    assert answer.status_code == 302
    assert looked_up == [sha256]


def test_nul_character_is_refused_wherever_it_stands(visitor, portal) -> None:
    sha256s = [portal.images["/m/apple"][0], "\0"]
    assert "NUL character" in send(visitor, "/selection/pictures/add", sha256=sha256s).text
    assert visitor.get("/images?licence=by&licence=%00").status_code == 400


def test_download_is_a_whole_zip_of_the_announced_length_and_the_same_each_time(signed_in, portal) -> None:
    client = signed_in("scientist")
    answers = [client.get(f"/datasets/{portal.version_id}/download") for _ in range(2)]
    first = answers[0]
    assert first.mimetype == "application/zip"
    assert int(first.headers["Content-Length"]) == len(first.data)
    assert first.data == answers[1].data
    assert first.headers["Content-Disposition"].startswith('attachment; filename="all-i-food-i-')
    with zipfile.ZipFile(io.BytesIO(first.data)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        for entry in manifest["files"]:
            body = archive.read(entry["path"])
            assert (len(body), hashlib.sha256(body).hexdigest()) == (entry["size_bytes"], entry["sha256"])


def test_download_link_needs_no_cookie_but_must_be_ours_and_fresh(app, visitor, signed_in, portal, monkeypatch) -> None:
    page = signed_in("scientist").get(f"/datasets/{portal.version_id}").text
    path = "/datasets/links/" + page.split("/datasets/links/")[1].split("?")[0]
    with visitor.get(path) as answer:
        assert answer.status_code == 200
    assert "/datasets/links/" not in visitor.get(f"/datasets/{portal.version_id}").text
    # Not its last character, of which two bits say nothing.
    assert visitor.get(path[:-2] + ("A" if path[-2] != "A" else "B") + path[-1]).status_code == 403
    days_later = time.time() + 25 * 3600
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: days_later)
    expired = visitor.get(path)
    assert expired.status_code == 403
    assert "24 hours, which are over" in expired.text


def test_premium_account_asks_for_a_model_follows_and_cancels_it(signed_in, portal) -> None:
    client = signed_in("premium")
    answer = send(client, f"/datasets/{portal.version_id}/train")
    run = answer.location
    run_id = int(run.rsplit("/", 1)[1])
    page = client.get(run).text
    assert "queued" in page
    assert f'data-progress="{run}/progress.json"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    progress = client.get(f"{run}/progress.json").json
    assert (progress["status"], progress["has_ended"]) == ("queued", False)
    assert [stage["name"] for stage in progress["stages"]] == ["features", "train", "evaluate", "outlook", "export"]
    send(client, f"{run}/cancel")
    assert portal.run_status(run_id) == "cancelled"
    assert client.get(f"{run}/progress.json").json["has_ended"] is True
    assert send(client, f"{run}/cancel").status_code == 409


def test_run_page_follows_what_training_writes_down(signed_in, portal) -> None:
    client = signed_in("premium")
    run = send(client, f"/datasets/{portal.version_id}/train").location
    run_id = int(run.rsplit("/", 1)[1])
    with portal.hub.engine.begin() as connection:
        assert take_run(connection, owner="test", lease_s=60).id == run_id
        add_event(connection, run_id=run_id, attempt=1, stage="features", done=30, total=30)
        for epoch, loss in enumerate([2.0, 1.0], start=1):
            add_event(
                connection,
                run_id=run_id,
                attempt=1,
                stage="train",
                done=epoch,
                total=8,
                metrics={"loss": loss, "validation_loss": loss * 2},
            )
    progress = client.get(f"{run}/progress.json").json
    assert progress["status"] == "running"
    assert [(stage["done"], stage["total"]) for stage in progress["stages"]] == [(30, 30), (2, 8), (0, 0), (0, 0), (0, 0)]
    assert progress["loss"] == {"train": "30.0,60.0 316.0,85.0", "validation": "30.0,10.0 316.0,60.0", "top": 4.0}
    html = client.get(run).text
    assert 'value="0.2500"' in html
    assert "2 of 8" in html
    with portal.hub.engine.begin() as connection:
        finish_run(connection, run_id=run_id, owner="test", status="failed", message="The disk is full.")
    html = client.get(run).text
    assert "The disk is full." in html
    assert "http-equiv" not in html


def test_run_that_was_cancelled_is_asked_for_again_and_names_the_first(signed_in, portal) -> None:
    client = signed_in("premium")
    first = send(client, f"/datasets/{portal.version_id}/train", backbone="compact_vgg").location
    assert "Waits for its turn" in client.get(first).text
    assert send(client, f"{first}/repeat").status_code == 409
    send(client, f"{first}/cancel")
    page = client.get(first).text
    assert "Ask for it again" in page
    assert "What became of it" in page
    again = send(client, f"{first}/repeat").location
    assert again != first
    assert f'href="{first}"' in client.get(again).text
    with portal.hub.engine.connect() as connection:
        run = run_by_id(connection, int(again.rsplit("/", 1)[1]))
    assert (run.backbone, run.repeats) == ("compact_vgg", int(first.rsplit("/", 1)[1]))
    send(client, f"{again}/cancel")


def test_way_to_train_is_chosen_by_how_long_it_took_before(signed_in, portal) -> None:
    client = signed_in("premium")
    page = client.get(f"/datasets/{portal.version_id}").text
    assert '<option value="vgg16/head">vgg16, the head alone</option>' in page
    assert '<option value="vgg16/fine_tune">vgg16, its top blocks too</option>' in page
    assert re.search(r'value="compact_vgg/head">compact_vgg, from scratch \(under a minute, by \d+ earlier runs?\)', page)
    run = send(client, f"/datasets/{portal.version_id}/train", way="vgg16/fine_tune").location
    assert "its top blocks too" in client.get(run).text
    send(client, f"{run}/cancel")
    again = send(client, f"{run}/repeat").location
    with portal.hub.engine.connect() as connection:
        assert run_by_id(connection, int(again.rsplit("/", 1)[1])).method == "fine_tune"
    send(client, f"{again}/cancel")
    refused = send(client, f"/datasets/{portal.version_id}/train", way="compact_vgg/fine_tune")
    assert (refused.status_code, "from scratch, all of it" in refused.text) == (400, True)
    assert send(client, f"/datasets/{portal.version_id}/train", way="vgg16/by_magic").status_code == 400


def test_run_that_failed_for_its_dataset_cannot_be_asked_for_again(signed_in, portal) -> None:
    client = signed_in("premium")
    run = send(client, f"/datasets/{portal.version_id}/train").location
    run_id = int(run.rsplit("/", 1)[1])
    with portal.hub.engine.begin() as connection:
        assert take_run(connection, owner="test", lease_s=60, run_id=run_id)
        finish_run(connection, run_id=run_id, owner="test", status="failed", message="Too few pictures of Apple.")
    assert "Ask for it again" not in client.get(run).text
    refused = send(client, f"{run}/repeat")
    assert (refused.status_code, "would end the same" in refused.text) == (409, True)


def test_account_with_as_many_runs_as_it_may_have_is_told_so(signed_in, portal) -> None:
    client = signed_in("premium")
    asked = []
    while (answer := send(client, f"/datasets/{portal.version_id}/train")).status_code == 302:
        asked.append(answer.location)
        assert len(asked) <= portal.hub.settings.training_open_runs
    assert answer.status_code == 429
    assert "your account may have 5 at once" in answer.text
    for run in asked:
        send(client, f"{run}/cancel")


def test_dataset_that_is_not_worth_training_on_says_why(signed_in, portal) -> None:
    version = portal.version("/m/apple", name="One label")
    client = signed_in("premium")
    assert "at least 2 labels" in client.get(f"/datasets/{version.id}").text
    assert send(client, "/datasets/999999/train").status_code == 404
    refused = send(client, f"/datasets/{portal.version_id}/train", backbone="alexnet")
    assert (refused.status_code, "Expected: vgg16 or compact_vgg" in refused.text) == (400, True)
    refused = send(client, f"/datasets/{portal.version_id}/train", way="vgg16/by_heart")
    assert (refused.status_code, "Expected: head or fine_tune" in refused.text) == (400, True)
    answer = send(client, f"/datasets/{version.id}/train")
    assert answer.status_code == 400
    assert "at least 2 labels" in answer.text


def test_dataset_with_too_few_pictures_of_a_label_can_be_waited_for(signed_in, portal) -> None:
    left_out = tuple(portal.images["/m/hk"][1:])
    version = portal.version("/m/apple", "/m/hk", name="With one of the kitchen", left_out=left_out, fractions=HALVES)
    client = signed_in("premium")
    html = client.get(f"/datasets/{version.id}").text
    assert "too few: Hell&#39;s Kitchen" in html
    assert send(client, f"/datasets/{version.id}/train").status_code == 400
    page = client.get(send(client, f"/datasets/{version.id}/train", wait="1").location)
    run_id = int(page.request.path.rsplit("/", 1)[1])
    assert portal.run_status(run_id) == "waiting"
    assert "Waits for pictures. It starts by itself" in page.text
    assert "Hell&#39;s Kitchen" in page.text
    assert "A model of this dataset is waiting for pictures" in client.get(f"/datasets/{version.id}").text
    follow = f'href="/runs/{run_id}">Follow it'
    assert [follow in signed_in(role).get(f"/datasets/{version.id}").text for role in ("premium", "operator", "supplier")] == [
        True,
        True,
        False,
    ]
    send(client, f"{page.request.path}/cancel")
    assert portal.run_status(run_id) == "cancelled"
    # Asked for again, it waits again.
    again = send(client, f"{page.request.path}/repeat")
    assert portal.run_status(int(again.location.rsplit("/", 1)[1])) == "waiting"
    send(client, f"{again.location}/cancel")


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


def test_empty_hub_has_pages_too(hub_of) -> None:
    from webapp import create_app

    with hub_of() as hub:
        client = create_app(hub=hub).test_client()
        for path in ("/", "/labels", "/labels?q=apple", "/selection", "/datasets", "/models"):
            answer = client.get(path)
            assert answer.status_code == 200, path
        assert "The hub is empty" in client.get("/").text
