"""A dataset's page leads to every picture of it, by split and label, and what it says to others is copied with one click."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.test_journey import settle, sign_in


def test_pictures_of_a_dataset_are_found_by_split_and_label_and_chosen(open_page, builder) -> None:
    with open_page() as page:
        sign_in(page, builder)
        page.goto("/datasets/1")
        page.get_by_role("link", name="All 84 pictures").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Pictures")
        settle(page)
        # The second page comes by itself.
        page.get_by_role("contentinfo").scroll_into_view_if_needed()
        expect(page.locator("[data-gallery] > li")).to_have_count(84)
        page.get_by_label("Label", exact=True).select_option("pear")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Pear")
        splits = page.get_by_role("navigation", name="Splits")
        splits.get_by_role("link", name=re.compile("^test")).click()
        here = splits.get_by_role("link", name=re.compile("^test"))
        expect(here).to_have_attribute("aria-current", "page")
        count = int(here.inner_text().split()[1])
        expect(page.locator("[data-gallery] > li")).to_have_count(count)
        settle(page)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.get_by_role("button", name="Leave out").click()
        expect(page.get_by_text("Left out of the selection: 1 picture.")).to_be_visible()
        page.get_by_role("link", name="Take this part").click()
        expect(page.get_by_text(f"{count} pictures of 84")).to_be_visible()


def test_digest_and_citation_are_copied_with_one_click(open_page) -> None:
    with open_page() as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.clock.install()
        page.goto("/datasets/1")
        settle(page)
        # What a button says goes away after a while, which a busy machine may miss.
        page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
        digest = page.locator(".command").filter(has_text=re.compile("^[0-9a-f]{64}"))
        digest.get_by_role("button").click()
        expect(digest.get_by_role("button")).to_have_text("Copied")
        assert re.fullmatch("[0-9a-f]{64}", page.evaluate("navigator.clipboard.readText()"))
        page.locator(".command").filter(has_text="@misc").get_by_role("button").click()
        expect(page.locator(".command").filter(has_text="@misc").get_by_role("button")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("@misc{")
        assert copied.endswith("}")
