"""A picture's page shows more of its label: what looks most like it first, where a network has seen them."""

import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from deep_images_hub.catalogue.embeddings import Embedding, add_embeddings
from deep_images_hub.catalogue.images import gallery
from tests.browser.test_journey import settle


@pytest.fixture
def pears(builder):
    """Give pictures of a label, each less like the first one than the one before; nobody knows of it afterwards."""
    with builder.hub.engine.begin() as connection:
        pears = gallery(connection, label_id=builder.label("pear").id)
        # Not the order in which they came.
        pears = [*pears[20:], *pears[:20]]
        angles = np.linspace(0, 3, len(pears))
        seen = [Embedding(of.image_id, np.array([np.cos(at), np.sin(at)])) for of, at in zip(pears, angles, strict=True)]
        add_embeddings(connection, model="m", rows=seen)
    yield pears
    with builder.hub.engine.begin() as connection:
        connection.execute(text("delete from embeddings where model = 'm'"))


def test_more_of_a_label_begins_with_what_is_most_alike_and_leads_there(open_page, pears) -> None:
    with open_page() as page:
        page.goto(f"/images/{pears[0].sha256}")
        settle(page)
        more = page.locator("section").filter(has=page.get_by_role("heading", name="More of Pear"))
        expect(more.get_by_text("the most alike first")).to_be_visible()
        addresses = [link.get_attribute("href") for link in more.locator("a[href^='/images/']").all()]
        assert list(dict.fromkeys(addresses)) == [f"/images/{of.sha256}" for of in pears[1:13]]
        more.locator("a[href^='/images/']").first.click()
        expect(page).to_have_url(f"{page.url.partition('/images')[0]}/images/{pears[1].sha256}")


def test_more_of_a_label_says_nothing_of_likeness_where_no_network_saw_the_picture(open_page, builder) -> None:
    with builder.hub.engine.connect() as connection:
        apple = gallery(connection, label_id=builder.label("apple").id)[0]
    with open_page() as page:
        page.goto(f"/images/{apple.sha256}")
        expect(page.get_by_role("heading", name="More of Apple")).to_be_visible()
        expect(page.get_by_text("the most alike first")).to_have_count(0)
