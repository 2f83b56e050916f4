"""Places in a gallery: after which picture to read on, and where to jump to. Pure; an address says them as text."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.picture_filter import MAX_ID, MAX_SIDE_PX

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"(-?[0-9]{1,17}(?:\.[0-9]{1,12})?(?:e-[0-9]{1,2})?)~([0-9]{1,18})", re.ASCII)
# The catalogue keeps scores in single precision, which holds nothing smaller but 0.
_LEAST_SCORE = 1e-37
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class GalleryPlace:
    """After which picture to read on, in the order of one of `picture_filter.SORTS`.

    Attributes:
        key: what the order goes by: a time, a score or a length in pixels; among equals it goes by image_id.
    """

    key: datetime | float | int
    image_id: int

    @property
    def text(self) -> str:
        """How an address says it. `place_from_text` reads it."""
        key = (self.key - _EPOCH) // _MICROSECOND if isinstance(self.key, datetime) else self.key
        return f"{key}~{self.image_id}"


def place_from_text(sort: str, text: str | None) -> GalleryPlace | None:
    """Read a place from an address; None: the beginning. Raises InvalidInputError."""
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    try:
        if found:
            return GalleryPlace(_key(sort, found[1]), int(found[2]))
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(f"{text[:40]!r} is not a place in this list. Open the list again and go on from its first page.")


def place_at(sort: str, text: str) -> GalleryPlace:
    """Return the place before the first picture of a month or a day (`2026-03`, `2026-03-01`), of a score, or of a size in px.

    Args:
        sort: one of `picture_filter.SORTS`. By time, newest first, the gallery goes on from the last moment of the month or day;
            oldest first, from the first moment. Otherwise from the score or size downwards.

    Raises:
        InvalidInputError: it is no such thing.
    """
    if sort in ("newest", "oldest"):
        first, last = _days(text)
        if sort == "oldest":
            return GalleryPlace(_midnight(first), 0)
        return GalleryPlace(_midnight(last) + timedelta(days=1), 0)
    expected = "a score from 0 to 1" if sort == "quality" else "a size in pixels"
    try:
        highest = float(text) if sort == "quality" else int(text)
    except ValueError:
        highest = -1
    # What is no number, or infinite, is not between two numbers either.
    if not 0 <= highest <= (1 if sort == "quality" else MAX_SIDE_PX):
        raise InvalidInputError(f"{text[:40]!r} is no place to jump to: expected {expected}, since the pictures go by that.")
    return GalleryPlace(highest if highest >= _LEAST_SCORE else 0, MAX_ID)


def _key(sort: str, text: str) -> datetime | float | int:
    if sort in ("newest", "oldest"):
        return _EPOCH + int(text) * _MICROSECOND
    key = float(text) if sort == "quality" else int(text)
    # What the catalogue's columns can hold: single precision, and 32 bits.
    if not (key == 0 or (_LEAST_SCORE <= key <= 1 if sort == "quality" else 0 < key < 2**31)):
        raise ValueError(text)
    return key


def _days(text: str) -> tuple[date, date]:
    """Return the first and the last day of a month, or a day twice."""
    try:
        if _MONTH.fullmatch(text):
            first = date.fromisoformat(f"{text}-01")
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        day = date.fromisoformat(text)
        if day < date.max:
            return day, day
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(
        f"{text[:40]!r} is no place to jump to: expected a month such as 2026-03, or a day such as 2026-03-01, since the "
        "pictures go by time."
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
