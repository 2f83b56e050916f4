"""On a phone every way is within reach: none lies beyond the edge, and what a menu lists is in sight."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.test_journey import settle, sign_in

_WIDTH_PX = 390


def _is_in_sight(shown: Locator) -> bool:
    box = shown.bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= _WIDTH_PX


_WAYS = [("supplier", ["My batches", "Send photographs"]), ("operator", ["Review", "Operations"])]


@pytest.mark.parametrize(("role", "ways"), _WAYS)
def test_no_way_lies_beyond_the_edge_and_the_account_leads_to_the_rest(open_page, builder, role, ways) -> None:
    if role not in builder.users:
        builder.user(role, f"A {role}")
    with open_page(width_px=_WIDTH_PX) as page:
        sign_in(page, builder, role)
        for link in page.get_by_role("navigation", name="Main").get_by_role("link").all():
            assert _is_in_sight(link), link.inner_text()
        page.locator(".account-menu > summary").click()
        for way in ways:
            found = page.locator(".account-menu").get_by_role("link", name=way)
            expect(found).to_be_in_viewport(ratio=1)
        found.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_what_a_menu_of_a_gallery_lists_is_in_sight(open_page) -> None:
    with open_page(width_px=_WIDTH_PX) as page:
        page.goto("/images")
        settle(page)
        page.locator(".browse-head summary").filter(has_text="Newest first").click()
        listed = page.get_by_role("link", name="Best quality first")
        expect(listed).to_be_in_viewport(ratio=1)
        listed.click()
        expect(page.locator(".browse-head summary").filter(has_text="Best quality first")).to_be_visible()


def test_buttons_of_a_label_take_two_rows_and_its_pictures_begin_in_sight(open_page, builder) -> None:
    with open_page(width_px=_WIDTH_PX, height_px=844) as page:
        sign_in(page, builder, "premium")
        page.goto(f"/labels/{builder.label('apple').id}")
        settle(page)
        words = ("Watch", "Add to selection", "Send pictures", "Ask for more pictures")
        boxes = [page.locator("main .button").filter(has_text=word).first.bounding_box() for word in words]
        assert len({round(box["y"]) for box in boxes}) == 2
        assert all(box["height"] >= 44 for box in boxes)
        expect(page.locator(".gallery img").first).to_be_in_viewport(ratio=1)


def test_ways_to_take_a_dataset_stand_above_what_it_is_made_of_and_nothing_is_wider_than_the_phone(open_page, builder) -> None:
    with open_page(width_px=_WIDTH_PX) as page:
        sign_in(page, builder, "premium")
        page.goto("/datasets/1")
        settle(page)
        order = [
            page.get_by_role("heading", name=name, exact=True).bounding_box()["y"]
            for name in ("Some of its pictures", "Take it", "Composition", "Cite this", "Recipe")
        ]
        assert order == sorted(order)
        assert page.evaluate("document.documentElement.scrollWidth") == _WIDTH_PX
        expect(page.get_by_label("How it is trained")).to_be_in_viewport(ratio=1)


def test_ways_to_take_a_dataset_stand_beside_what_it_is_made_of_on_a_wide_screen(open_page) -> None:
    with open_page() as page:
        page.goto("/datasets/1")
        settle(page)
        take, parts = (page.get_by_role("heading", name=name, exact=True).bounding_box() for name in ("Take it", "Composition"))
        assert take["x"] > parts["x"] + parts["width"]
        assert abs(take["y"] - parts["y"]) < 60
