"""Sending photographs from a phone: cut off half-way and gone on with, and without scripts."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from sqlalchemy import text

from deep_images_hub.catalogue.batches import submissions_of
from tests.builders import PASSWORD, photograph

PIECE_BYTES = 1 << 20
PHONE = {"width_px": 390, "height_px": 844}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    """Two small photographs, and one that takes several pieces."""
    folder = tmp_path_factory.mktemp("camera")
    noise = io.BytesIO()
    Image.frombytes("RGB", (1000, 900), random.Random(0).randbytes(2_700_000)).save(noise, "JPEG", quality=95)
    assert 2 * PIECE_BYTES > len(noise.getvalue()) > PIECE_BYTES
    bodies = {"one.jpg": photograph("sent 1"), "two.jpg": photograph("sent 2"), "large.jpg": noise.getvalue()}
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return [folder / name for name in bodies]


def open_form(page: Page, builder) -> None:
    page.goto("/sign-in?next=/send%3Flabel%3Dapple")
    page.get_by_label("E-mail address").fill(builder.users["premium"].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Apple")


def sent_bodies(builder, key: str) -> dict[str, bytes]:
    with builder.hub.engine.connect() as connection:
        sent = submissions_of(connection, batch_key=key)
    return {one.filename: builder.hub.store.read(one.object_key) for one in sent}


def refuse_all(builder, key: str) -> None:
    """Decide on a batch as intake would."""
    with builder.hub.engine.begin() as connection:
        connection.execute(
            text(
                "update submissions set status = 'rejected', reason = 'dark', decided_at = now()"
                " where batch_id = (select id from batches where key = :key)"
            ),
            {"key": key},
        )
        connection.execute(
            text("update batches set status = 'closed', closed_at = now(), rejected_count = submitted_count where key = :key"),
            {"key": key},
        )


def test_photographs_are_sent_on_where_they_were_cut_off_after_a_reload(open_page, builder, files) -> None:
    with open_page(**PHONE) as page:
        open_form(page, builder)
        expect(page.locator("[data-send][data-ready]")).to_be_attached()
        page.get_by_label("Choose photographs", exact=True).set_input_files(files)
        page.get_by_label("I took these photographs myself").check()

        def cut_off(route: Route) -> None:
            # The second piece of the large one never gets through.
            is_second = route.request.method == "PATCH" and int(route.request.headers["upload-offset"]) > 0
            route.abort("aborted") if is_second else route.continue_()

        page.route("**/files/*", cut_off)
        page.get_by_role("button", name="Send 3 photographs").click()
        expect(page.get_by_role("heading", name="2 of 3 photographs arrived")).to_be_visible()
        expect(page.get_by_text("1.0 MB of")).to_be_visible()
        page.reload()

        expect(page.locator("[data-send][data-ready]")).to_be_attached()
        expect(page.get_by_text("One has not arrived whole")).to_be_visible()
        # Not before the reload: the page that was left would have sent some of it.
        page.unroute("**/files/*")
        offsets: list[str] = []
        page.on("request", lambda asked: offsets.append(asked.headers["upload-offset"]) if asked.method == "PATCH" else None)
        page.get_by_label("Choose photographs", exact=True).set_input_files(files)
        expect(page.get_by_text("Sent. Thank you!")).to_be_visible()
        assert offsets == [str(PIECE_BYTES)]
        key = page.url.rpartition("/")[2]
        assert sent_bodies(builder, key) == {file.name: file.read_bytes() for file in files}

        refuse_all(builder, key)
        expect(page.locator(".files td", has_text="refused: too dark")).to_have_count(3)
        expect(page.get_by_text("It waits for intake")).to_have_count(0)


def test_what_would_be_refused_is_seen_first_and_asked_about_in_sight(open_page, builder, tmp_path) -> None:
    many = [tmp_path / f"{number}.jpg" for number in range(12)]
    for file in many:
        file.write_bytes(photograph(f"in sight {file.name}"))
    (tmp_path / "z.jpg").write_text("no picture")
    with open_page(**PHONE) as page:
        open_form(page, builder)
        expect(page.locator("[data-send][data-ready]")).to_be_attached()
        page.get_by_label("Choose photographs", exact=True).set_input_files([*many, tmp_path / "z.jpg"])
        page.get_by_label("I took these photographs myself").check()
        page.get_by_role("button", name="Send 13 photographs").click()

        without = page.get_by_role("button", name="Leave out 1 photograph")
        expect(without).to_be_visible()
        page.reload()
        expect(page.locator("[data-send][data-ready]")).to_be_attached()
        expect(page.locator("[data-row]").first).to_contain_text("probably refused")
        page.get_by_role("heading", name="13 of 13 photographs arrived, 1 probably refused").scroll_into_view_if_needed()
        expect(without).to_be_in_viewport(ratio=1)
        without.click()
        expect(page.get_by_text("Sent. Thank you!")).to_be_visible()
        assert "z.jpg" not in sent_bodies(builder, page.url.rpartition("/")[2])


def test_city_is_chosen_by_pointing_at_the_map_or_with_arrow_keys(open_page, builder) -> None:
    with open_page(**PHONE) as page:
        open_form(page, builder)
        page.get_by_text("Point at the city on a map").click()
        expect(page.locator("[data-point-at][data-ready]")).to_be_attached()
        city, world = page.get_by_label("City or postcode"), page.get_by_role("application", name="Map of the world")
        box = world.bounding_box()
        # Where Perth is; the second time the map is nearer and has it in its middle.
        world.click(position={"x": box["width"] * (115.9 + 180) / 360, "y": box["height"] * (80 + 31.9) / 138})
        world.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
        expect(page.get_by_label("In or near this city")).to_be_checked()
        expect(city).to_have_value("Perth, Western Australia, AU")
        farther = page.get_by_role("button", name="Farther")
        for _ in range(4):
            farther.press("Enter")
        # It can go no farther, and keeps the keyboard where it is.
        expect(farther).to_be_disabled()
        expect(farther).to_be_focused()
        world.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        expect(page.locator("[data-says]")).to_have_text(city.input_value())
        assert not city.input_value().endswith(", AU")


def test_photographs_are_sent_without_scripts(open_page, builder, files) -> None:
    with open_page(has_scripts=False, **PHONE) as page:
        open_form(page, builder)
        page.get_by_label("Choose photographs", exact=True).set_input_files(files[:2])
        page.get_by_label("I took these photographs myself").check()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("Sent. Thank you!")).to_be_visible()
        assert sent_bodies(builder, page.url.rpartition("/")[2]) == {file.name: file.read_bytes() for file in files[:2]}
