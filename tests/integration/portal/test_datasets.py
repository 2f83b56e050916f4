"""From a selection to a dataset and its download."""

import hashlib
import io
import json
import random
import re
import string
import time
import zipfile

import pytest

from deep_images_hub.datasets.recipe import SplitFractions
from tests.integration.portal.conftest import HALVES, send
from webapp.chosen import MAX_LABELS, MAX_SINGLE_PICTURES, Selection, selection_from_session, session_from_selection

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


def test_start_page_leads_to_the_newest_datasets(visitor, portal) -> None:
    newest = portal.version("/m/hk", name="Only <b>kitchens</b>", fractions=SplitFractions(1.0, 0.0, 0.0))
    html = visitor.get("/").text
    assert f'href="/datasets/{newest.id}">Only &lt;b&gt;kitchens&lt;/b&gt;</a>' in html


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


def test_pictures_of_a_dataset_are_seen_by_split_and_label_page_by_page(visitor, signed_in, portal, monkeypatch) -> None:
    monkeypatch.setattr("webapp.datasets.PICTURES_PAGE", 4)
    path = f"/datasets/{portal.version_id}/pictures"

    def seen(query: str) -> list[str]:
        more, found = f"{path}{query}", []
        while more:
            html = visitor.get(more).text
            found += re.findall(r'href="/images/([0-9a-f]{64})"', html)
            on = re.search(r'data-more-link href="([^"]+)"', html)
            more = on and on[1].replace("&amp;", "&")
        return found

    everything = [sha256 for code in ("/m/apple", "/m/hk", "/m/script") for sha256 in portal.images[code]]
    assert sorted(seen("")) == sorted(everything)
    for code, pictures in portal.images.items():
        train, test = (seen(f"?label={code}&split={split}") for split in ("train", "test"))
        assert train
        assert test
        assert sorted(train + test) == sorted(seen(f"?label={code}")) == sorted(pictures)
    assert "No picture of this label is in this split" in visitor.get(f"{path}?label=/m/hk&split=validation").text
    html = visitor.get(f"{path}?label=/m/script&split=test").text
    assert "<script>alert" not in html
    assert "Take this part" not in html
    part = "exports/imagefolder?split=test&amp;label=/m/script"
    assert part in signed_in("scientist").get(f"{path}?label=/m/script&split=test").text
    for query, status in (("?split=x", 400), ("?after=x", 400), ("?label=/m/empty", 404), ("?after=999999", 200)):
        assert visitor.get(f"{path}{query}").status_code == status
    assert visitor.get("/datasets/999999/pictures").status_code == 404


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


def test_full_selection_fits_into_a_cookie(signed_in) -> None:
    client, draw = signed_in("scientist"), random.Random(4)
    letters = string.ascii_lowercase + string.digits
    codes = [f"/m/0{''.join(draw.choices(letters, k=5))}" for _ in range(MAX_LABELS)]
    full = Selection(tuple(codes), tuple(draw.sample(range(10**8, 10**9), MAX_SINGLE_PICTURES)))
    with client.session_transaction() as session:
        session["selection"] = session_from_selection(full)
    cookie = client.get_cookie("hub_session")
    # What browsers keep, name and value: RFC 6265, section 6.1.
    assert len(cookie.key) + len(cookie.value) <= 4096


def test_picture_that_is_named_again_and_again_is_chosen_once(visitor, portal) -> None:
    sha256 = portal.images["/m/apple"][0]

    answer = send(visitor, "/selection/pictures/add", sha256=[sha256] * 50)

    assert answer.status_code == 302
    with visitor.session_transaction() as session:
        assert selection_from_session(session["selection"]).count == 1


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


def test_empty_hub_has_pages_too(hub_of) -> None:
    from webapp import create_app

    with hub_of() as hub:
        client = create_app(hub=hub).test_client()
        for path in ("/", "/labels", "/labels?q=apple", "/selection", "/datasets", "/models"):
            answer = client.get(path)
            assert answer.status_code == 200, path
        assert "The hub is empty" in client.get("/").text
