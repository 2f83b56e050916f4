"""Pages for everybody: what they show, what they never show, and what every answer carries."""

import gzip
import re
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from deep_images_hub.catalogue.engine import connect_engine
from deep_images_hub.errors import SettingsError
from tests.integration.portal.conftest import send
from webapp import create_app
from webapp.security import CONTENT_SECURITY_POLICY

HOSTILE = "<script>alert(&#39;label&#39;)</script>"


def _pages(portal) -> list[str]:
    image = portal.images["/m/script"][0]
    return [
        "/",
        "/labels",
        "/labels?q=<script>",
        "/labels?q='",
        f"/labels/{portal.label('/m/script').id}",
        f"/labels/{portal.label('/m/food').id}",
        f"/images/{image}",
        f"/images/{portal.images['/m/hk'][-1]}",
        "/latest",
        "/latest?city=%3Cscript%3Ealert(1)%3C/script%3E",
        "/images?country=DE",
        "/selection",
        "/datasets",
        f"/datasets/{portal.version_id}",
        "/models",
        f"/models/{portal.model_id}",
        '/sign-in?next=/"><script>alert(1)</script>',
        "/nothing/<script>alert(1)</script>",
    ]


def test_pages_escape_whatever_suppliers_and_visitors_write(visitor, signed_in, portal) -> None:
    operator = signed_in("operator")
    send(visitor, "/selection/labels/add", label_code="/m/script")
    for page in [*_pages(portal), "/operations", "/batches/batch-5", "/runs/1", f"/models/{portal.model_id}/try"]:
        for client in (visitor, operator):
            html = client.get(page).text
            assert "<script>alert" not in html, page
            assert "<img src=x" not in html, page
            assert "<b>Nowak" not in html, page
            assert "<i>food" not in html, page
            # Nothing is written inline, which the content security policy would refuse to run or to follow.
            assert not re.search(r"<[^>]+\s(style|on\w+)=", html), page
            assert not re.search(r"""<script(?![^>]*\s(src=|type="application/ld\+json"))|<style""", html), page


def test_pages_never_show_an_address_of_a_person(visitor, portal) -> None:
    for page in _pages(portal):
        assert "@example.org" not in visitor.get(page).text, page


def test_every_answer_carries_its_headers(visitor, portal) -> None:
    for page in [
        *_pages(portal),
        f"/images/{portal.images['/m/apple'][0]}/thumbnail.jpg",
        "/static/portal.css",
        "/labels/suggestions",
    ]:
        with visitor.get(page) as answer:
            headers = answer.headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, page
        assert headers["X-Content-Type-Options"] == "nosniff", page
        assert headers["Referrer-Policy"] == "same-origin", page


def test_styles_are_packed_for_whoever_unpacks_them_and_pages_never(visitor) -> None:
    asks = {"Accept-Encoding": "gzip, br"}
    with visitor.get("/static/portal.css", headers=asks) as packed, visitor.get("/static/portal.css") as plain:
        styles = plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == styles
    assert len(packed.data) < len(styles) / 3
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert visitor.get("/gallery-ratios.css", headers=asks).headers["Content-Encoding"] == "gzip"
    with visitor.get("/static/mark.svg", headers=asks) as small:
        assert "Content-Encoding" not in small.headers
    # What a browser keeps is asked for again by its ETag, packed or not.
    with visitor.get("/static/portal.css", headers={**asks, "If-None-Match": packed.headers["ETag"]}) as again:
        assert (again.status_code, again.data) == (304, b"")
    assert "Content-Encoding" not in visitor.get("/", headers=asks).headers
    assert "Content-Encoding" not in visitor.get("/labels/suggestions?q=apple", headers=asks).headers


def test_label_is_found_by_a_piece_of_its_name(visitor, portal) -> None:
    assert "Hell&#39;s Kitchen" in visitor.get("/labels?q=ll's k").text
    found = visitor.get("/labels/suggestions?q=APPL").json["labels"]
    assert found == [
        {"name": "Apple", "alias": None, "code": "/m/apple", "images": 10, "url": f"/labels/{portal.label('/m/apple').id}"}
    ]
    assert visitor.get("/labels/suggestions?q=").json == {"labels": []}
    assert visitor.get("/labels/suggestions?q=%25").json == {"labels": []}
    assert visitor.get("/labels/by-code?code=/m/hk").location == f"/labels/{portal.label('/m/hk').id}"
    assert visitor.get("/labels/by-code?code=/m/none").status_code == 404


def test_gallery_shows_every_picture_once_page_by_page(visitor, portal, monkeypatch) -> None:
    monkeypatch.setattr("webapp.galleries.GALLERY_PAGE", 4)
    for code, own, expected in [
        ("/m/food", "", [sha256 for of_label in portal.images.values() for sha256 in of_label]),
        ("/m/food", "?own=1", []),
        ("/m/apple", "?own=1", portal.images["/m/apple"]),
    ]:
        page, shown = f"/labels/{portal.label(code).id}{own}", []
        for _ in range(20):
            html = visitor.get(page).text
            shown += re.findall(r'<a href="/images/([0-9a-f]{64})"', html)
            more = re.search(r'data-more-link href="([^"]+)"', html)
            if more is None:
                break
            page = more[1].replace("&amp;", "&")
        assert len(shown) == len(expected)
        assert set(shown) == set(expected)


def test_gallery_reserves_the_place_of_every_picture(visitor, portal) -> None:
    html = visitor.get(f"/labels/{portal.label('/m/apple').id}").text
    assert html.count('width="96" height="72" loading="lazy"') == 10


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "١"])
def test_gallery_after_no_picture_is_refused_in_words(visitor, portal, after) -> None:
    answer = visitor.get(f"/labels/{portal.label('/m/apple').id}?after={after}")
    assert answer.status_code == 400
    assert "is not a place in this list" in answer.text


def test_picture_page_says_where_it_comes_from(visitor, portal) -> None:
    html = visitor.get(f"/images/{portal.images['/m/apple'][0]}").text
    for words in (
        "Ada &lt;b&gt;Nowak&lt;/b&gt;",
        "M5V 2T6, DE",
        "CC0",
        "JPEG, 96 × 72",
        "Is it sharp?",
        "batch-0",
        "the supplier",
    ):
        assert words in html, words


def test_picture_page_shows_pictures_that_look_the_same(visitor, portal) -> None:
    one, other = portal.images["/m/hk"][:2]
    with portal.hub.engine.begin() as connection:
        connection.execute(
            text(
                "update descriptors set whole_hash = alike.whole_hash, inner_hash = alike.inner_hash, grid = alike.grid"
                " from descriptors as alike join images as original on original.id = alike.image_id, images"
                " where original.sha256 = :one and images.sha256 = :other and descriptors.image_id = images.id"
            ),
            {"one": one, "other": other},
        )
    for shown, alike in ((one, other), (other, one)):
        html = visitor.get(f"/images/{shown}").text
        assert alike in html.partition("Looks the same")[2]


def test_picture_bytes_are_kept_by_browsers_for_good(visitor, portal) -> None:
    sha256 = portal.images["/m/apple"][0]
    for kind in ("picture", "thumbnail"):
        answer = visitor.get(f"/images/{sha256}/{kind}.jpg")
        assert answer.mimetype == "image/jpeg"
        assert answer.data.startswith(b"\xff\xd8\xff")
        assert "immutable" in answer.headers["Cache-Control"]
        assert "public" in answer.headers["Cache-Control"]
        again = visitor.get(f"/images/{sha256}/{kind}.jpg", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("sha256", ["0" * 64, "0" * 63, "..%2f..%2fetc%2fpasswd", "A" * 64])
def test_picture_that_is_not_here_is_not_found(visitor, sha256) -> None:
    for path in (f"/images/{sha256}", f"/images/{sha256}/picture.jpg"):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_programs_get_errors_as_json_with_a_code(visitor) -> None:
    answer = visitor.get("/labels/999999", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json["error"]["code"] == "not_found"
    assert visitor.get("/nothing", headers={"Accept": "application/json"}).json["error"]["code"] == "not_found"
    assert visitor.get("/selection/clear", headers={"Accept": "application/json"}).json["error"]["code"] == "method_not_allowed"


def test_model_page_says_honestly_how_it_was_made(visitor, portal) -> None:
    html = visitor.get(f"/models/{portal.model_id}").text
    assert "trained from scratch on these pictures alone, without pretrained weights" in html
    assert "73.3\u202f%" in html
    assert "right by always naming the commonest label" in html


def test_operators_see_what_became_of_every_file(signed_in) -> None:
    operator = signed_in("operator")
    html = operator.get("/operations").text
    assert "Refused: the file is not a picture" in html
    assert html.count('class="desk">M5V 2T6</td>') == 1
    assert operator.get("/operations?city=m5v+2t6").text.count('href="/batches/') == 1
    batch = operator.get("/batches/batch-0").text
    assert "refused: the file is not a picture" in batch
    assert batch.count(">accepted</a>") == 5


def test_catalogue_out_of_reach_is_said_and_nothing_else(portal) -> None:
    away = portal.hub.settings.model_copy(update={"database_url": SecretStr("postgresql://hub:x@127.0.0.1:9/hub")})
    engine = connect_engine(away, statement_timeout_s=1)
    client = create_app(hub=replace(portal.hub, engine=engine)).test_client()
    for path in ("/", "/health"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "10"
        assert "Traceback" not in answer.text
    engine.dispose()


def test_behind_a_tls_proxy_cookies_and_links_are_for_tls(portal) -> None:
    settings = portal.hub.settings.model_copy(update={"portal_secure_cookies": True, "portal_secret_key": SecretStr("k" * 40)})
    client = create_app(hub=replace(portal.hub, settings=settings)).test_client()
    answer = client.get("/sign-in", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"})
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_production_without_a_secret_key_does_not_start(portal) -> None:
    settings = portal.hub.settings.model_copy(update={"portal_secure_cookies": True})
    with pytest.raises(SettingsError, match="HUB_PORTAL_SECRET_KEY"):
        create_app(hub=replace(portal.hub, settings=settings))


def test_secret_key_of_a_laptop_is_made_once_and_for_its_owner_alone(portal) -> None:
    keys = {create_app(hub=portal.hub).secret_key for _ in range(2)}
    assert len(keys) == 1
    kept = portal.hub.settings.home / "portal_secret_key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.glob(".portal_secret_key*")] == []


def test_health_answers(visitor) -> None:
    assert visitor.get("/health").json == {"status": "ok"}
