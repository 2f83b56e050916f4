"""Every page in the eyes of axe-core, in light and dark, on a phone and on a desk: WCAG 2.2 AA and good practice."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page

from tests.browser import every_page
from tests.browser.conftest import served
from tests.browser.every_page import PAGES, ROLES
from tests.integration.portal.conftest import PortalHub
from webapp import create_app

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What else may be wrong once the same page is in other colours and of another width.
LOOKS = {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]}

# A page's body is put where another's was: its style is the same, and loading a page anew costs more than looking at it.
_SHOW = """async (path) => {
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = found.title;
  document.body.replaceWith(document.adoptNode(found.body));
  const { pathname, search } = new URL(answer.url);
  return [pathname + search, answer.status];
}"""
_LOOK = """async ([within, runOnly]) => {
  const { violations } = await axe.run(within ?? document, { resultTypes: ["violations"], preload: false, runOnly });
  const where = (node) => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 300)}`;
  const said = (violation, node) => `${violation.impact} ${violation.id}: ${where(node)}`;
  return violations.flatMap((one) => one.nodes.slice(0, 3).map((node) => said(one, node)));
}"""


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[PortalHub]:
    with hub_of() as hub:
        yield PortalHub(hub).fill()


@pytest.fixture(scope="module")
def app(portal: PortalHub) -> Flask:
    return create_app(hub=portal.hub)


@pytest.fixture(scope="module")
def clients(app: Flask, portal: PortalHub) -> dict[str, FlaskClient]:
    return {role: every_page.sign_in(app, portal, role) for role in ROLES if role}


@pytest.fixture(scope="module")
def names(portal: PortalHub, clients) -> dict[str, object]:
    return every_page.fill(portal, clients)


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address)
    yield context.new_page()
    context.close()


def test_every_page_is_on_the_list(app: Flask) -> None:
    assert every_page.pages_of(app) == set(PAGES)


def test_no_page_has_anything_that_keeps_somebody_out(app: Flask, page: Page, address: str, names, clients) -> None:
    page.goto("/")
    page.evaluate(Axe().axe_script)
    found: dict[str, list[str]] = {}
    for turn, visit in enumerate(every_page.visits(app, names)):
        become(page, address, clients, visit.role)
        arrived, status = page.evaluate(_SHOW, visit.path)
        assert arrived == visit.path, f"{visit} led to {arrived}"
        assert status in (200, 400, 404), f"{visit}: {status}"
        # Each page in both schemes and at both widths, which take turns.
        for again, rules in enumerate((EVERYTHING, LOOKS)):
            scheme, size = ("light", "dark")[(turn + again) % 2], (PHONE, DESK)[(turn // 2 + again) % 2]
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            if complaints := page.evaluate(_LOOK, [None, rules]):
                found[f"{visit.path} as {visit.role or 'anybody'}, {scheme}, {size['width']} px"] = complaints
    assert found == {}


# What scripts show once somebody does something: where, to whom, by what keys and clicks, and the part that is looked at.
SCRIPTED = (
    (
        "/labels/{label}",
        "premium",
        {
            ".choosing": lambda page: (page.keyboard.press("ArrowRight"), page.keyboard.press("Space")),
            ".gallery .is-chosen": lambda page: None,
            ".browse-head": lambda page: page.locator(".browse-head summary").first.click(),
            ".ask-more": lambda page: page.locator(".ask-more > summary").click(),
            ".account-menu": lambda page: page.locator(".account-menu > summary").click(),
            ".search": lambda page: (
                page.get_by_label("Search labels").fill("a"),
                page.locator(".suggestions a").first.wait_for(),
            ),
            "[data-keys]": lambda page: (page.locator("#content").focus(), page.keyboard.press("?")),
        },
    ),
    ("/review", "operator", {".review-actions": lambda page: page.locator("[data-refuse] > summary").click()}),
    (
        "/labels",
        None,
        {
            "[data-tree]": lambda page: (
                page.locator("[data-tree] summary").first.click(),
                page.locator("[data-tree] ul ul a").first.wait_for(),
            )
        },
    ),
)


@pytest.mark.parametrize(("path", "role", "states"), SCRIPTED, ids=[path for path, *_ in SCRIPTED])
def test_what_scripts_show_keeps_nobody_out(page: Page, address: str, names, clients, path: str, role, states) -> None:
    become(page, address, clients, role)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    page.goto(path.format(**names))
    page.evaluate(Axe().axe_script)
    found: dict[str, list[str]] = {}
    for part, show in states.items():
        show(page)
        page.locator(part).first.wait_for()
        for scheme, size, rules in (("light", DESK, EVERYTHING), ("dark", PHONE, LOOKS)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            if complaints := page.evaluate(_LOOK, [part, rules]):
                found[f"{part}, {scheme}, {size['width']} px"] = complaints
        page.set_viewport_size(DESK)
    assert found == {}


def become(page: Page, address: str, clients: dict[str, FlaskClient], role: str | None) -> None:
    """Let the browser be who has signed in with a role."""
    page.context.clear_cookies()
    cookie = clients[role].get_cookie("hub_session") if role else None
    if cookie:
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
