"""Accounts as people meet them: from the sign-up form through the link in the mail to a page of their own."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import settle
from tests.builders import HubBuilder

PASSWORD = "wombat otter lemon"


def link_to(builder: HubBuilder, email: str) -> str:
    """Return the path of the link that goes to an address. Mails are made after the answer: wait for it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in (builder.hub.settings.home / "mail").glob("account-*.eml"):
            words = file.read_text()
            if f"To: {email}" in words:
                return re.findall(r"/links/\S+", words)[0]
        time.sleep(0.05)
    pytest.fail(f"No mail went to {email}.")


def fits(page: Page) -> bool:
    """Tell whether nothing of the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("has_scripts", "width_px"), [(True, 390), (False, 1280)], ids=["phone", "without scripts"])
def test_person_signs_up_looks_at_the_account_and_signs_out(open_page, builder, has_scripts, width_px) -> None:
    email = f"newcomer-{width_px}@example.org"
    with open_page(has_scripts=has_scripts, width_px=width_px) as page:
        page.goto("/sign-in")
        page.get_by_role("main").get_by_role("link", name="Sign up").click()
        page.get_by_label("E-mail address").fill(email)
        page.get_by_role("textbox", name="Name").fill("Mary Anning")
        page.get_by_role("radio", name=re.compile("^Send pictures")).check()
        assert fits(page)
        page.get_by_role("button", name="Send me the link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")

        page.goto(link_to(builder, email))
        settle(page)
        password = page.get_by_label("Password", exact=True)
        password.fill(PASSWORD)
        if has_scripts:
            page.get_by_role("button", name="Show what is typed").click()
            expect(password).to_have_attribute("type", "text")
        page.get_by_role("button", name="Make my account").click()
        expect(page.get_by_text("Welcome, Mary Anning")).to_be_visible()

        menu = page.locator(".account-menu > summary")
        menu.click()
        page.get_by_role("link", name="Account", exact=True).click()
        expect(page.get_by_text("Account made")).to_be_visible()
        assert fits(page)
        menu.click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(page.get_by_text("Signed out. Goodbye, Mary Anning.")).to_be_visible()
