"""The design page: every part that pages are put together from, and the tokens as the stylesheet itself has them."""

import re
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.images import gallery
from webapp.access import public
from webapp.home import NEWEST_IMAGES, rows, varied
from webapp.services import hub

blueprint = Blueprint("design", __name__)

STYLESHEET = Path(__file__).parent / "static" / "portal.css"
SAMPLE_IMAGES = 60
SCHEMES = ("light", "dark")
# What WCAG 2.2 AA asks for: 1.4.3 of text, 1.4.11 of what says where a field or a button is.
TEXT, OUTLINE = 4.5, 3.0
# Which colour is written or drawn on which, and how far apart the two have to be.
PAIRS = (
    *((ink, ground, TEXT) for ink in ("ink", "ink-soft") for ground in ("paper", "raised", "sunken")),
    *(("ink", wash, TEXT) for wash in ("accent-wash", "warn-wash", "bad-wash")),
    *((ink, ground, TEXT) for ink in ("accent", "accent-strong") for ground in ("paper", "raised", "accent-wash")),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("good", "paper", TEXT),
    ("good", "raised", TEXT),
    ("warn", "warn-wash", TEXT),
    ("bad", "bad-wash", TEXT),
    ("bad", "raised", TEXT),
    ("line-strong", "paper", OUTLINE),
    ("line-strong", "raised", OUTLINE),
)
_COLOUR = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
_SIZE = re.compile(r"--((?:text|space|radius)[a-z0-9-]*): ([^;]+);")


@dataclass(frozen=True)
class Contrast:
    """Two colours by name, their contrast in each scheme (1 to 21), and the least that is asked for."""

    ink: str
    ground: str
    ratios: tuple[float, float]
    least: float

    @property
    def is_enough(self) -> bool:
        """Tell whether both schemes have what is asked for."""
        return min(self.ratios) >= self.least


def colours(stylesheet: str) -> dict[str, tuple[str, str]]:
    """Return the colours of a stylesheet by name, light and dark, as #rrggbb."""
    return {name: (light, dark) for name, light, dark in _COLOUR.findall(stylesheet)}


def sizes(stylesheet: str) -> dict[str, str]:
    """Return the steps of type, space and corners of a stylesheet by name."""
    return dict(_SIZE.findall(stylesheet))


def contrast(one: str, other: str) -> float:
    """Return how far apart two colours are, 1 to 21.

    Source: WCAG 2.2, relative luminance and contrast ratio.
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def contrasts(stylesheet: str) -> list[Contrast]:
    """Return the contrast of each pair in use."""
    found = colours(stylesheet)
    return [
        Contrast(ink, ground, (contrast(found[ink][0], found[ground][0]), contrast(found[ink][1], found[ground][1])), least)
        for ink, ground, least in PAIRS
    ]


@blueprint.get("/design")
@public
def page() -> ResponseReturnValue:
    """Show the tokens and the parts, light and dark side by side, with some pictures of the hub."""
    stylesheet = STYLESHEET.read_text(encoding="utf-8")
    with hub().engine.connect() as connection:
        pictures = varied(gallery(connection, label_id=None, limit=SAMPLE_IMAGES))[:NEWEST_IMAGES]
    return render_template(
        "design.html",
        schemes=SCHEMES,
        colours=colours(stylesheet),
        sizes=sizes(stylesheet),
        contrasts=contrasts(stylesheet),
        pictures=pictures,
        rows=rows(pictures)[:1],
    )


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
