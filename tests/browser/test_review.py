"""Review by keyboard, as an operator goes through a queue: each key shows the next picture, its decision is sent meanwhile."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from tests.browser.test_wanted import sign_in
from tests.builders import PASSWORD, photographs


@pytest.fixture
def doubted(builder) -> Iterator[list[int]]:
    """Put five new pictures into review, and give their submissions; what is left of them is refused in the end."""
    builder.user("operator", "Grace")
    builder.batch("for-review", "apple", photographs(5, seed="for-review"))
    with builder.hub.engine.begin() as connection:
        rows = connection.execute(
            text(
                "select submissions.id from submissions join batches on batches.id = batch_id where key = 'for-review' order by 1"
            )
        )
        ids = list(rows.scalars())
        changes = [DecisionChange(of, "review", "label_agreement") for of in ids]
        assert change_decisions(connection, changes=changes, cause="network") == 5
    yield ids
    with builder.hub.engine.begin() as connection:
        change_decisions(connection, changes=[DecisionChange(of, "rejected", "dark") for of in ids], cause="redecide")


def statuses(builder, ids: list[int]) -> list[tuple[str, str | None]]:
    with builder.hub.engine.connect() as connection:
        rows = connection.execute(text("select status, reason from submissions where id = any(:ids) order by id"), {"ids": ids})
        return [(row.status, row.reason) for row in rows]


def expect_picture(page: Page, submission_id: int) -> None:
    expect(page.locator("[data-decision=accept] [name=submission_id]")).to_have_value(str(submission_id))
    # Scripts show this button: before that, keys do nothing.
    expect(page.get_by_role("button", name="Keys", exact=True)).to_be_visible()


def test_operator_decides_by_keyboard_alone(open_page, builder, doubted: list[int]) -> None:
    with open_page() as page:
        page.goto("/sign-in?next=/review")
        page.get_by_label("E-mail address").fill(builder.users["operator"].email)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect_picture(page, doubted[0])
        # Scripts hear keys once the page has loaded.
        page.wait_for_load_state()
        page.keyboard.press("a")
        expect_picture(page, doubted[1])
        page.keyboard.press("r")
        page.keyboard.press("2")
        expect_picture(page, doubted[2])
        page.keyboard.press("l")
        page.keyboard.type("pear")
        expect(page.get_by_role("option", name="Pear")).to_be_visible()
        page.keyboard.press("Enter")
        expect_picture(page, doubted[3])
        expect(page.get_by_text("accepted as Pear")).to_be_visible()
        page.keyboard.press("s")
        expect_picture(page, doubted[4])
        assert page.evaluate("document.querySelector('[data-swap=picture] img').naturalWidth") > 0
        page.keyboard.press("l")
        page.keyboard.type("app")
        expect(page.get_by_role("listbox").get_by_role("option", name="Apple")).to_be_visible()
        # Whoever types on and is faster than the list means what is typed.
        page.get_by_label("Another label").fill("pear")
        page.keyboard.press("Enter")
        expect(page.get_by_text("That was the last one")).to_be_visible()
        expect(page.get_by_text("accepted as Pear")).to_be_visible()
        assert statuses(builder, doubted) == [
            ("accepted", None),
            ("rejected", "blurry"),
            ("accepted", None),
            ("review", "label_agreement"),
            ("accepted", None),
        ]
        page.get_by_role("button", name="Undo").click()
        expect_picture(page, doubted[4])
        page.wait_for_load_state()
        page.keyboard.press("?")
        expect(page.get_by_role("heading", name="Keys")).to_be_visible()
        page.keyboard.press("?")
        page.keyboard.press("u")
        expect_picture(page, doubted[2])
        assert [status for status, _ in statuses(builder, doubted)] == ["accepted", "rejected", "review", "review", "review"]


def test_picture_that_somebody_reports_is_taken_down_and_nobody_finds_it(open_page, builder) -> None:
    builder.user("operator", "Grace")
    [sha256] = builder.batch("for-a-report", "hk", photographs(1, seed="for-a-report"))
    with open_page() as page:
        sign_in(page, builder, "premium", f"/images/{sha256}")
        page.get_by_role("link", name="Report this picture").click()
        page.get_by_label("It shows people or private things").check()
        page.locator("main form").get_by_role("button").click()
        expect(page.get_by_text("An operator will look at this picture.")).to_be_visible()
        sign_in(page, builder, "operator", "/review/reports")
        page.get_by_text("Take down …").click()
        page.get_by_role("button", name="Take it down").click()
        expect(page.get_by_text("No report is open.")).to_be_visible()
        page.goto(f"/images/{sha256}")
        expect(page.get_by_text("Operators alone see this picture")).to_be_visible()
        page.context.clear_cookies()
        page.goto(f"/labels/{builder.label('hk').id}")
        expect(page.get_by_text("No picture of this label has been accepted yet.")).to_be_visible()
        assert page.request.get(f"/images/{sha256}").status == 404
