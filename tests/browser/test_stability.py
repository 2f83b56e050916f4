"""Nothing jumps: the layout shift of the main pages (CLS) while they arrive over a slow line, on a phone and on a desk."""

import pytest
from playwright.sync_api import Page

from deep_images_hub.catalogue.images import gallery
from tests.builders import HubBuilder

# Google's "good" is 0.1. Ours is what is left of rounding.
MOST_SHIFT = 0.02
# Bytes a second: a page's HTML comes in several pieces, which a browser would draw one by one.
_SLOW_LINE = {"offline": False, "latency": 0, "downloadThroughput": 60_000, "uploadThroughput": -1}
_WATCH = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifts.push(shift);
}).observe({ type: "layout-shift", buffered: true });"""
_SHIFT = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  return window.shifts.reduce((sum, shift) => sum + shift.value, 0);
}"""


def _paths(builder: HubBuilder) -> list[str]:
    fruit = builder.label("fruit").id
    with builder.hub.engine.connect() as connection:
        [picture] = gallery(connection, label_id=fruit, limit=1)
    return ["/", f"/labels/{fruit}", "/images", f"/images/{picture.sha256}", "/datasets/1", "/models/1", "/wanted"]


@pytest.mark.parametrize("width_px", [390, 1280])
def test_nothing_moves_while_a_page_arrives(open_page, builder: HubBuilder, width_px: int) -> None:
    with open_page(width_px=width_px, height_px=844) as page:
        page.add_init_script(_WATCH)
        line = page.context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", _SLOW_LINE)
        assert {path: shift for path in _paths(builder) if (shift := _shift(page, path)) > MOST_SHIFT} == {}


def _shift(page: Page, path: str) -> float:
    """Open a page and return by how much of the window, and how far, what was drawn of it moved."""
    page.goto(path)
    shift: float = page.evaluate(_SHIFT)
    return shift
