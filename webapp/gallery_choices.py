"""What one may choose in a gallery's filter, and where one may jump to, as HTML, put together here: see `gallery_cells`."""

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup, escape


class Choice(NamedTuple):
    """What somebody may choose in a filter.

    Attributes:
        images: how many pictures fit with it; None: that would take too long to say.
    """

    value: str
    words: str
    is_chosen: bool
    images: int | None = None


class Way(NamedTuple):
    """A way from this page to another view of the gallery. images: how many pictures are there; None: not said."""

    words: str
    address: str
    is_here: bool = False
    images: int | None = None


def options(choices: Iterable[Choice]) -> Markup:
    """Return the options of a list to choose from, each with how many pictures fit with it."""
    written = []
    for value, words, is_chosen, images in choices:
        selected = " selected" if is_chosen else ""
        counted = "" if images is None else f" ({images:,})"
        written.append(f'<option value="{escape(value)}"{selected}>{escape(words)}{counted}</option>')
    return Markup("".join(written))  # noqa: S704 - everything in it is escaped above


def city_names(choices: Iterable[Choice]) -> Markup:
    """Return the names of cities to complete what is typed: their values say the country before, as in `CA Toronto`."""
    return Markup("".join(f'<option value="{escape(choice.words[3:])}">' for choice in choices))  # noqa: S704 - escaped


def ways(listed: Iterable[Way]) -> Markup:
    """Return links, each with how many pictures are there."""
    written = []
    for words, address, is_here, images in listed:
        current = ' aria-current="true"' if is_here else ""
        counted = "" if images is None else f" <span>{images:,}</span>"
        written.append(f'<li><a href="{escape(address)}"{current}>{escape(words)}{counted}</a></li>')
    return Markup("".join(written))  # noqa: S704 - everything in it is escaped above
