"""Galleries as their address says them: filters, orders, counts, jumps, and what hostile or hasty addresses get."""

import re

import pytest

from tests.integration.portal.conftest import PortalHub


def shown(html: str) -> list[str]:
    return re.findall(r'<a href="/images/([0-9a-f]{64})"', html)


def count_of(html: str) -> str:
    found = re.search(r'<h2 id="browse-count">([^<]+)</h2>', html)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", "30 pictures"),
        ("country=DE", "5 pictures"),
        ("country=de&city=m5v+2t6", "5 pictures"),
        ("city=Atlantis", "0 pictures"),
        ("licence=by&licence=cc0", "30 pictures"),
        ("licence=cc0", "15 pictures"),
        ("licence=by-nc", "0 pictures"),
        ("min_quality=0&max_side=72", "30 pictures"),
        ("min_side=73", "0 pictures"),
        ("time=taken&from=2026-03-01&to=2026-03-01", "6 pictures"),
        ("to=2020-01-01", "0 pictures"),
        ("reviewed=no&country=DE&licence=cc0", "5 pictures"),
        ("sort=quality&min_quality=0.0001", "30 pictures"),
    ],
)
def test_gallery_of_everything_shows_what_its_address_asks_for(visitor, query: str, count: str) -> None:
    html = visitor.get(f"/images?{query}").text
    assert count_of(html) == count
    assert len(set(shown(html))) == len(shown(html)) == int(count.split()[0])


def test_gallery_of_a_label_is_filtered_and_says_by_what(visitor, portal: PortalHub) -> None:
    page = f"/labels/{portal.label('/m/food').id}"
    html = visitor.get(f"{page}?licence=cc0&sort=oldest").text
    assert count_of(html) == "15 pictures"
    assert f'<a href="{page}?sort=oldest" aria-label="No longer: CC0 1.0">' in html
    assert re.search(r'value="cc0" checked>', html)
    assert '<option value="DE">Germany (5)</option>' in html
    assert "No picture fits all of this" in visitor.get(f"{page}?licence=cc0&own=1").text
    # What is asked of the licence itself does not say how many others there are.
    assert re.search(r'value="by"> CC BY 4\.0</label>', html)


def test_gallery_is_sorted_as_its_address_says(visitor, portal: PortalHub) -> None:
    newest, oldest = (shown(visitor.get(f"/images?sort={sort}").text) for sort in ("newest", "oldest"))
    assert oldest == newest[::-1]
    assert sorted(shown(visitor.get("/images?sort=quality").text)) == sorted(newest)


def test_filter_goes_along_from_page_to_page_and_into_a_jump(visitor, portal: PortalHub, monkeypatch) -> None:
    monkeypatch.setattr("webapp.galleries.GALLERY_PAGE", 4)
    page, seen = "/images?licence=cc0&sort=quality", []
    for _ in range(10):
        html = visitor.get(page).text
        seen += shown(html)
        more = re.search(r'data-more-link href="([^"]+)"', html)
        if more is None:
            break
        page = more[1].replace("&amp;", "&")
        assert page.startswith("/images?licence=cc0&sort=quality&after=")
    assert len(seen) == len(set(seen)) == 15
    assert len(shown(visitor.get("/images?licence=cc0&sort=quality&at=1").text)) == 4
    assert shown(visitor.get("/images?licence=cc0&sort=quality&at=0").text) == []


def test_gallery_that_few_pictures_fit_says_that_it_was_cut_short(visitor, monkeypatch) -> None:
    monkeypatch.setattr("deep_images_hub.catalogue.galleries.MAX_FETCHED", 0)
    monkeypatch.setattr("deep_images_hub.catalogue.galleries.MAX_WALKED", 3)
    html = visitor.get("/images?country=DE").text
    assert "Look on" in html
    assert count_of(html) == "Up to 5 pictures"
    assert 'data-cut-short href="/images?country=DE&amp;after=' in html


@pytest.mark.parametrize(
    "query",
    [
        "sort=worst",
        "licence=%3Cscript%3Ealert(1)%3C/script%3E",
        "country=%3Cscript%3E",
        "from=yesterday",
        "min_quality=nan",
        "min_side=1e9",
        "supplier='%20or%201=1",
        "at=%22%3E%3Cscript%3E",
        "after=1~99999999999999999999",
        "sort=size&after=99999999999~1",
        f"sort=size&at={'9' * 400}",
        "reviewed=<b>",
    ],
)
def test_address_that_asks_for_what_cannot_be_is_refused_in_words(visitor, query: str) -> None:
    answer = visitor.get(f"/images?{query}")
    assert answer.status_code == 400
    assert "expected" in answer.text or "is not a place in this list" in answer.text
    assert "<script>alert" not in answer.text


def test_jump_to_a_score_that_no_picture_can_have_shows_none(visitor) -> None:
    assert shown(visitor.get("/images?sort=quality&at=1e-300").text) == []


@pytest.mark.parametrize("label_id", [2**31, 10**30])
def test_label_with_a_number_that_none_can_have_is_not_there(visitor, label_id: int) -> None:
    assert visitor.get(f"/labels/{label_id}").status_code == 404


def test_hostile_city_is_only_a_city(visitor) -> None:
    html = visitor.get("/images?city=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%25_'").text
    assert count_of(html) == "0 pictures"
    assert "<script>alert" not in html
