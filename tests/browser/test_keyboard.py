"""Galleries by keyboard: arrows go as pictures lie, space and shift choose. Every page lists its keys, and keeps its colours."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_journey import settle

_IS_CLEAR = """document.activeElement.getBoundingClientRect().bottom
    <= document.querySelector("[data-choosing]").getBoundingClientRect().top"""


def _focused(page: Page) -> int:
    """Return which picture has the keyboard, from 0."""
    return page.evaluate("[...document.querySelectorAll('[data-gallery] li > a')].indexOf(document.activeElement)")


def _row_of(page: Page, number: int) -> float:
    return page.evaluate("(at) => document.querySelectorAll('[data-gallery] li > a')[at].getBoundingClientRect().top", number)


def test_arrows_go_as_pictures_lie_and_what_is_chosen_goes_into_the_selection(open_page, builder) -> None:
    with open_page() as page:
        page.goto(f"/labels/{builder.label('apple').id}")
        settle(page)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert _focused(page) == 1
        page.keyboard.press("ArrowDown")
        below = _focused(page)
        assert _row_of(page, below) > _row_of(page, 1)
        page.keyboard.press("ArrowUp")
        assert _focused(page) == 1
        bar = page.locator("[data-choosing]")
        expect(bar).to_be_hidden()
        page.keyboard.press("Space")
        expect(bar.get_by_text("1 picture chosen")).to_be_visible()
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        expect(bar.get_by_role("status").get_by_text("3 pictures chosen")).to_be_visible()
        # What lies no longer between is given back.
        page.keyboard.press("Shift+ArrowLeft")
        expect(bar.get_by_role("status").get_by_text("2 pictures chosen")).to_be_visible()
        page.keyboard.press("Shift+ArrowRight")
        expect(bar.get_by_role("status").get_by_text("3 pictures chosen")).to_be_visible()
        # In a field, the key closes what is open there.
        page.get_by_label("City").focus()
        page.keyboard.press("Escape")
        expect(bar.get_by_text("3 pictures chosen")).to_be_visible()
        page.locator("[data-gallery] li > a").nth(1).focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
            assert page.evaluate(_IS_CLEAR), "the picture with the keyboard lies below the bar"
        bar.get_by_role("button", name="Choose none").press("Enter")
        expect(bar).to_be_hidden()
        assert _focused(page) == 1, "the keyboard was left in what is gone"
        page.keyboard.press("Space")
        expect(bar).to_be_visible()
        page.keyboard.press("Escape")
        expect(bar).to_be_hidden()
        links = page.locator("[data-gallery] li > a")
        links.nth(0).hover()
        page.locator(".pick").first.click()
        links.nth(3).click(modifiers=["Shift"])
        expect(bar.get_by_text("4 pictures chosen")).to_be_visible()
        bar.get_by_role("button", name="Add to selection").click()
        # Wherever one is in a long gallery.
        said = page.get_by_role("status").filter(has_text="Added to the selection: 4 pictures.")
        expect(said).to_be_in_viewport(ratio=1)
        expect(said.get_by_role("link", name="See the selection")).to_have_attribute("href", "/selection")
        expect(bar).to_be_hidden()
        expect(page.locator("[data-selected]")).to_have_text("4")
        # No more are taken than the selection holds. There are fewer pictures here than that, so it is made to seem nearly full.
        expect(page.locator("[data-choosing]")).to_have_attribute("data-room", "296")
        page.locator("[data-choosing]").evaluate("bar => { bar.dataset.room = 26 }")
        links.nth(4).focus()
        page.keyboard.press("Space")
        links.nth(40).click(modifiers=["Shift"])
        expect(said).to_be_hidden()
        expect(bar.get_by_text("The selection has room for 26 more")).to_be_visible()
        expect(bar.get_by_role("button", name="Add to selection")).to_be_disabled()
        page.keyboard.press("Escape")
        links.nth(2).focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/images/[0-9a-f]{64}$"))
        expect(page.get_by_role("button", name="Remove from selection")).to_be_visible()


def test_keys_are_listed_and_the_keyboard_comes_back(open_page) -> None:
    with open_page() as page:
        page.goto("/")
        settle(page)
        first = page.get_by_role("link", name="Browse labels")
        first.focus()
        page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys")
        expect(keys.get_by_text("From picture to picture")).to_be_visible()
        # What this page does not know is not listed.
        expect(keys.get_by_text("Undo your last decision")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(keys).to_be_hidden()
        expect(first).to_be_focused()


def test_dark_is_kept_before_anything_is_drawn(open_page) -> None:
    with open_page() as page:
        page.goto("/design")
        settle(page)
        # Arrows are of the first gallery: from another one they do not lead away.
        other = page.locator("ul.gallery a").nth(2)
        other.focus()
        page.keyboard.press("ArrowRight")
        expect(other).to_be_focused()
        page.get_by_label("Colours").select_option("dark")
        page.goto("/sign-in")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 18, 20)"
        settle(page)
        page.get_by_label("Colours").select_option("")
        expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
