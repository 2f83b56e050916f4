"""Demand from end to end: one asks, another votes and watches, a label that is missing is proposed, and an operator adds it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.builders import PASSWORD


@pytest.fixture
def people(builder) -> Iterator[None]:
    """Make those who want something; in the end nothing of it is left, nor the label that was added."""
    for role, name in (("scientist", "Sam"), ("operator", "Grace")):
        builder.user(role, name)
    yield
    with builder.hub.engine.begin() as connection:
        for table in ("notices", "demand_votes", "demands", "watches", "label_proposals"):
            connection.execute(text(f"delete from {table}"))
        added = "(select id from labels where source = 'proposed')"
        for table, column in (
            ("label_edges", "child_id"),
            ("label_closure", "descendant_id"),
            ("label_counts", "label_id"),
            ("labels", "id"),
        ):
            connection.execute(text(f"delete from {table} where {column} in {added}"))


def sign_in(page: Page, builder, role: str, target: str) -> None:
    page.context.clear_cookies()
    page.goto(f"/sign-in?next={target}")
    page.get_by_label("E-mail address").fill(builder.users[role].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"//[^/]+{target}$"))


@pytest.mark.usefixtures("people")
def test_names_of_labels_are_offered_for_what_was_typed_before_the_script_came(open_page, builder) -> None:
    with open_page() as page:
        sign_in(page, builder, "scientist", "/labels")
        held = []
        page.route("**/wanted.js*", lambda route: held.append(route))
        page.goto("/wanted", wait_until="commit")
        page.get_by_label("Of which label?").fill("pear")
        expect(page.locator("datalist")).to_have_count(0)
        held[0].continue_()
        expect(page.locator("datalist option[value=Pear]")).to_have_count(1)


@pytest.mark.usefixtures("people")
def test_what_one_asks_others_want_too_and_a_missing_label_is_added(open_page, builder) -> None:
    with open_page() as page:
        sign_in(page, builder, "scientist", "/wanted")
        asking = page.get_by_role("heading", name="Ask for pictures").locator("..")
        asking.get_by_label("Of which label?").fill("pear")
        # The browser's own list of choices is filled from the search.
        expect(page.locator("datalist option[value=Pear]")).to_have_count(1)
        asking.get_by_label("How many in all").fill("90")
        asking.get_by_label("What should they show?").fill("Bitten ones, too.")
        asking.get_by_role("button", name="Ask for them").click()
        expect(page.get_by_text("Pictures of Pear are wanted now")).to_be_visible()
        wanted = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Pear"))
        expect(wanted.get_by_text("42 of 90 · 48 missing")).to_be_visible()
        expect(wanted.get_by_text("You ask for it")).to_be_visible()

        page.get_by_role("link", name="Propose one").click()
        page.get_by_label("What is it called?").fill("Dragon fruit")
        page.get_by_label("How many pictures do you want?").fill("30")
        page.get_by_role("button", name="Propose it").click()
        expect(page.get_by_text("waits for an operator")).to_be_visible()

    with open_page(has_scripts=False, width_px=390) as page:
        sign_in(page, builder, "operator", "/wanted")
        wanted = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Pear"))
        wanted.get_by_role("button", name="I want this too").click()
        expect(wanted.get_by_role("button", name="You want this 2")).to_have_attribute("aria-pressed", "true")
        wanted.get_by_role("button", name="Watch Pear").click()
        expect(wanted.get_by_role("button", name="Watching Pear")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

        page.locator(".account-menu > summary").click()
        page.get_by_role("link", name="Review").click()
        page.get_by_role("link", name="Proposed 1").click()
        page.get_by_label("Under").fill("fruit")
        page.get_by_role("button", name="Add the label").click()
        expect(page.get_by_text("Dragon fruit is a label now, under Fruit")).to_be_visible()
        page.goto("/")
        expect(page.get_by_role("listitem").filter(has_text="Dragon fruit").get_by_text("0 of 30")).to_be_visible()
