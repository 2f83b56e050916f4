"""Which pictures of a gallery somebody wants to see, and in which order: as a value, and as the address that says it.

Pure. `picture_filter_from_query` is the one place that reads and checks an address; `PictureFilter.query` writes it, each wish in
one spelling, so that a gallery can be shared and comes back as it was.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeVar

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.licences import LICENCES

SORTS = ("newest", "oldest", "quality", "size")
# What a range of days is about: when the hub made the picture, or when the photograph was taken.
TIMES = ("received", "taken")
# Where the kept counts of quality and of sizes begin: filters that begin there can be counted without looking.
QUALITY_STEPS = tuple(step / 10 for step in range(10))
SIDE_STEPS_PX = (0, 256, 512, 1024, 2048)
MAX_CITY_LENGTH = 100
MAX_ID = 2**63 - 1
MAX_SIDE_PX = 10**6

_COUNTRY = re.compile(r"[A-Za-z]{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class PictureFilter:
    """What pictures must be, all of it at once. None and empty: any.

    Attributes:
        own_only: of the very label, not of labels under it.
        country: ISO 3166-1 alpha-2, in capitals.
        city: whatever its case.
        time: what since and until are about, one of TIMES.
        since, until: days in UTC, both inside.
        licences: one of these.
        min_quality, max_quality: 0 to 1, both inside.
        min_side_px, max_side_px: of the short side of the photograph as sent, both inside.
        is_reviewed: whether an operator looked at it last, and let it in.
        supplier_id: who sent it.
        sort: one of SORTS: newest and oldest by when the hub made the picture, quality and size from the best and largest.

    Raises:
        InvalidInputError: a value cannot be used; the message says which and what was expected.
    """

    own_only: bool = False
    country: str | None = None
    city: str | None = None
    time: str = "received"
    since: date | None = None
    until: date | None = None
    licences: tuple[str, ...] = ()
    min_quality: float | None = None
    max_quality: float | None = None
    min_side_px: int | None = None
    max_side_px: int | None = None
    is_reviewed: bool | None = None
    supplier_id: int | None = None
    sort: str = "newest"

    def __post_init__(self) -> None:
        object.__setattr__(self, "licences", tuple(sorted(set(self.licences))))
        _check_one_of("sort", self.sort, SORTS)
        _check_one_of("time", self.time, TIMES)
        for licence in self.licences:
            _check_one_of("licence", licence, LICENCES)
        for name, quality in (("min_quality", self.min_quality), ("max_quality", self.max_quality)):
            if quality is not None and not 0 <= quality <= 1:
                raise InvalidInputError(f"{name} is {quality:g}; expected a score from 0 (worst) to 1 (best).")
        _check_order("Quality", self.min_quality, self.max_quality)
        _check_order("The short side", self.min_side_px, self.max_side_px)
        _check_order("The range of days", self.since, self.until)

    @property
    def has_conditions(self) -> bool:
        """Whether it leaves any picture of the label out, besides those of labels under it."""
        return bool(self.conditions)

    @cached_property
    def conditions(self) -> dict[str, "PictureFilter"]:
        """What it asks for, each with the filter that asks for all but that: names are `place`, `time` and so on."""
        without: dict[str, dict[str, Any]] = {
            "place": {"country": None, "city": None},
            "time": {"since": None, "until": None},
            "licence": {"licences": ()},
            "quality": {"min_quality": None, "max_quality": None},
            "size": {"min_side_px": None, "max_side_px": None},
            "reviewed": {"is_reviewed": None},
            "supplier": {"supplier_id": None},
        }
        asked = {name: fields for name, fields in without.items() if any(getattr(self, of) != fields[of] for of in fields)}
        return {name: replace(self, **fields) for name, fields in asked.items()}

    @property
    def since_time(self) -> datetime | None:
        """The first moment inside."""
        return None if self.since is None else datetime.combine(self.since, time(), UTC)

    @property
    def until_time(self) -> datetime | None:
        """The first moment after."""
        return None if self.until is None else datetime.combine(self.until, time(), UTC) + timedelta(days=1)

    def query(self) -> dict[str, str | list[str]]:
        """Return what an address says of it: nothing of what is as it is by default. Reading that gives the same filter."""
        has_days = self.since is not None or self.until is not None
        said: dict[str, str | list[str] | None] = {
            "own": "1" if self.own_only else None,
            "country": self.country,
            "city": self.city,
            "time": self.time if has_days and self.time != TIMES[0] else None,
            "from": None if self.since is None else self.since.isoformat(),
            "to": None if self.until is None else self.until.isoformat(),
            "licence": list(self.licences),
            "min_quality": None if self.min_quality is None else f"{self.min_quality:g}",
            "max_quality": None if self.max_quality is None else f"{self.max_quality:g}",
            "min_side": None if self.min_side_px is None else str(self.min_side_px),
            "max_side": None if self.max_side_px is None else str(self.max_side_px),
            "reviewed": None if self.is_reviewed is None else ("yes" if self.is_reviewed else "no"),
            "supplier": None if self.supplier_id is None else str(self.supplier_id),
            "sort": self.sort if self.sort != SORTS[0] else None,
        }
        return {name: value for name, value in said.items() if value}


def picture_filter_from_query(query: Mapping[str, Sequence[str]]) -> PictureFilter:
    """Read a filter from an address: from the values of each name. Empty values say nothing, and neither do names unknown here.

    Raises:
        InvalidInputError: a value cannot be used; the message says which and what was expected.
    """
    given = {name: [value.strip() for value in values if value.strip()] for name, values in query.items()}

    def one(name: str, read: Callable[[str, str], _Read]) -> _Read | None:
        values = given.get(name)
        return read(name, values[-1]) if values else None

    since, until = one("from", _day), one("to", _day)
    return PictureFilter(
        own_only=bool(one("own", _yes)),
        country=one("country", _country),
        city=one("city", _city),
        # It says something of days alone.
        time=(one("time", lambda _name, value: value) or TIMES[0]) if since or until else TIMES[0],
        since=since,
        until=until,
        licences=tuple(given.get("licence", ())),
        min_quality=one("min_quality", _quality),
        max_quality=one("max_quality", _quality),
        min_side_px=one("min_side", _whole),
        max_side_px=one("max_side", _whole),
        is_reviewed=one("reviewed", _yes),
        supplier_id=one("supplier", _id),
        sort=one("sort", lambda _name, value: value) or SORTS[0],
    )


def _check_one_of(name: str, value: str, expected: Sequence[str]) -> None:
    if value not in expected:
        raise InvalidInputError(f"{name} is {value[:40]!r}; expected one of: {', '.join(expected)}.")


def _check_order(name: str, lowest: Any, highest: Any) -> None:
    if lowest is not None and highest is not None and lowest > highest:
        raise InvalidInputError(f"{name} begins at {lowest} and ends at {highest}, before it begins. Exchange the two.")


def _country(_name: str, value: str) -> str:
    if not _COUNTRY.fullmatch(value):
        raise InvalidInputError(f"country is {value[:40]!r}; expected a country's code of two letters, such as CA.")
    return value.upper()


def _city(_name: str, value: str) -> str:
    city = " ".join(unicodedata.normalize("NFC", value).split())
    if len(city) > MAX_CITY_LENGTH:
        raise InvalidInputError(f"city has {len(city)} characters; expected a city's name, of at most {MAX_CITY_LENGTH}.")
    return city


def _day(name: str, value: str) -> date:
    try:
        # The last day of all has none after it.
        if _DAY.fullmatch(value) and (found := date.fromisoformat(value)) < date.max:
            return found
    except ValueError:
        pass
    raise InvalidInputError(f"{name} is {value[:40]!r}; expected a day such as 2026-03-01.")


def _yes(name: str, value: str) -> bool:
    if value not in ("yes", "no", "1", "0"):
        raise InvalidInputError(f"{name} is {value[:40]!r}; expected yes or no.")
    return value in ("yes", "1")


def _quality(name: str, value: str) -> float:
    try:
        quality = float(value)
    except ValueError:
        quality = math.nan
    if math.isnan(quality) or not value.isascii():
        raise InvalidInputError(f"{name} is {value[:40]!r}; expected a score from 0 (worst) to 1 (best).")
    # As exact as addresses say it.
    return round(quality, 4) if math.isfinite(quality) else quality


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > len(str(MAX_SIDE_PX)):
        raise InvalidInputError(f"{name} is {value[:40]!r}; expected a whole number of pixels.")
    return int(value)


def _id(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > len(str(MAX_ID)) - 1:
        raise InvalidInputError(
            f"{name} is {value[:40]!r}; expected the number of a supplier, as the list of suppliers gives it."
        )
    return int(value)
