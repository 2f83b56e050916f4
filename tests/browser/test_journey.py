"""The way through the portal, as somebody goes it who came for a dataset and a model."""

import re
import tarfile
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.builders import PASSWORD, photograph


def sign_in(page: Page, builder, role: str = "premium") -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(builder.users[role].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Your account")).to_be_attached()
    settle(page)


def settle(page: Page) -> None:
    """Wait until scripts hear keys and nothing moves any more: on a busy machine a page is there long before that."""
    page.wait_for_load_state()


def choose_and_freeze(page: Page, name: str) -> None:
    settle(page)
    page.get_by_role("button", name="Add to selection").click()
    # Whoever is quicker than the answer is shown an empty selection.
    expect(page.get_by_role("button", name="Remove from selection").first).to_be_visible()
    page.get_by_role("link", name="Selection").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Freeze into a dataset").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_person_searches_looks_selects_freezes_downloads_and_asks_for_a_model(open_page, builder, tmp_path) -> None:
    with open_page() as page:
        sign_in(page, builder)
        page.keyboard.press("/")
        page.keyboard.type("appl")
        # Answers come letter by letter: the last one has Apple alone.
        expect(page.get_by_role("listbox", name="Labels").get_by_role("option")).to_have_count(1)
        expect(page.get_by_role("option", name="Apple")).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Apple")
        page.locator("[data-gallery] a").first.click()
        expect(page.get_by_text("What was checked")).to_be_visible()
        page.get_by_role("list", name="Where this picture is").get_by_role("link", name="Apple").click()
        choose_and_freeze(page, "Apples of the crowd")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download zip").click()
        download.value.save_as(tmp_path / "apples.zip")
        with zipfile.ZipFile(tmp_path / "apples.zip") as archive:
            assert archive.testzip() is None
            assert sum(name.endswith(".jpg") for name in archive.namelist()) == 42
        page.get_by_role("link", name="WebDataset").click()
        page.locator("select[name=label]").select_option("Apple")
        page.locator("input[name=first]").fill("5")
        page.get_by_role("button", name="Show its files").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="apples-of-the-crowd-train-000000.tar").click()
        download.value.save_as(tmp_path / "apples.tar")
        with tarfile.open(tmp_path / "apples.tar") as shard:
            assert len(shard.getnames()) == 15
        page.get_by_role("link", name="Datasets").first.click()
        page.get_by_role("link", name="Fruit so far").click()
        page.get_by_role("button", name="Train a baseline model").click()
        expect(page.get_by_text("queued").first).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("The run was cancelled")).to_be_visible()


def test_gallery_goes_on_by_itself_and_keeps_every_place(open_page, builder) -> None:
    with open_page() as page:
        page.goto(f"/labels/{builder.label('fruit').id}")
        pictures = page.locator("[data-gallery] > li")
        expect(pictures).to_have_count(60)
        # Rows are full, pictures keep their shape, and what is not loaded yet has its place already.
        assert page.evaluate("""() => [...document.querySelectorAll('[data-gallery] img')].every((image) => {
            const { width, height } = image.getBoundingClientRect();
            return height > 60 && Math.abs(width / height - image.getAttribute('width') / image.getAttribute('height')) < 0.04;
        })""")
        page.keyboard.press("End")
        expect(pictures).to_have_count(84)
        expect(page.locator("[data-more-link]")).to_have_count(0)


def test_tree_opens_branch_by_branch(open_page) -> None:
    with open_page() as page:
        page.goto("/labels")
        branch = page.locator("[data-tree] details").first
        branch.locator("summary").click(position={"x": 8, "y": 12})
        expect(branch.get_by_role("link", name="Pear")).to_be_visible()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_picture_is_answered_with_and_without_scripts(open_page, builder, has_scripts) -> None:
    with open_page(has_scripts=has_scripts) as page:
        sign_in(page, builder)
        page.goto("/models")
        page.get_by_role("link", name="Fruit so far").click()
        page.get_by_role("link", name="Try it").click()
        page.locator("input[type=file]").set_input_files(
            {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": photograph("mine")}
        )
        if not has_scripts:
            page.get_by_role("button", name="Look at it").click()
        expect(page.locator(".answers li")).to_have_count(2)
        expect(page.get_by_role("heading", name="mine.jpg")).to_be_visible()
        if has_scripts:
            expect(page.locator("[data-dropzone] img")).to_be_visible()
            # Where the first answer is found lies over the picture, and then where the second one is.
            expect(page.locator("[data-dropzone] .evidence[data-evidence='0']")).to_be_visible()
            page.get_by_role("button", name="where?").last.click()
            expect(page.locator("[data-dropzone] .evidence[data-evidence='1']")).to_be_visible()
            expect(page.locator("[data-dropzone] .evidence")).to_have_count(1)


def test_portal_without_scripts_searches_pages_and_freezes(open_page, builder) -> None:
    with open_page(has_scripts=False) as page:
        sign_in(page, builder)
        page.get_by_label("Search labels").fill("fruit")
        page.get_by_label("Search labels").press("Enter")
        page.get_by_role("link", name="Fruit").first.click()
        page.get_by_role("link", name="More pictures").click()
        expect(page.locator("[data-gallery] > li")).to_have_count(24)
        choose_and_freeze(page, "Without scripts")


@pytest.mark.parametrize(
    "path", ["/", "/labels", "/labels?q=apple", "/labels/2", "/selection", "/datasets", "/datasets/1", "/models/1", "/sign-in"]
)
def test_page_fits_a_phone(open_page, path) -> None:
    with open_page(width_px=390, height_px=844) as page:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_keyboard_reaches_the_content_past_the_frame(open_page) -> None:
    with open_page() as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Browse labels")).to_be_focused()


def test_filter_is_said_by_the_address_and_opens_on_a_phone(open_page, builder) -> None:
    path = f"/labels/{builder.label('fruit').id}"
    with open_page(width_px=390) as page:
        page.goto(path)
        settle(page)
        expect(page.get_by_role("button", name="Show pictures")).to_be_hidden()
        page.get_by_role("link", name="Filter").click()
        page.locator("input[name=licence]").first.check()
        page.get_by_role("button", name="Show pictures").click()
        # Fields that were left empty are not in it.
        expect(page).to_have_url(re.compile(rf"{path}\?licence=[a-z0-9-]+$"))
        expect(page.locator("[data-gallery] > li").first).to_be_visible()
        page.get_by_role("link", name="No longer").click()
        expect(page).to_have_url(re.compile(rf"{path}$"))
