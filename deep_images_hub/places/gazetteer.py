"""Geocode without a network, from config/gazetteer.csv, as a geopy geocoder like any other.

A query is a city or a postcode, then what narrows it down, parted by commas: "Toronto", "Paris, US", "M5V 2T6", "Toronto, ON,
M5V 2T6". Case, accents, punctuation and spaces do not matter. Of several cities of one name the largest is meant. It never
guesses: what it does not know, and what contradicts itself ("Toronto, France"), has no place.
"""

import csv
import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

from deep_images_hub.places.place import Place
from deep_images_hub.resources import resource

# Letters that do not come apart into a plain letter and an accent.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})
_MORE_COUNTRY_NAMES = {"GB": ("UK", "Great Britain"), "US": ("United States of America", "America"), "AE": ("UAE",)}


def folded(text: str) -> str:
    """Return what is left of a name without case, accents, punctuation and spaces: "St. John's" and "st johns" are one."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed.translate(_PLAIN) if letter.isalnum())


@dataclass(frozen=True)
class GazetteerEntry:
    """One row of the gazetteer, with the folded names that it answers to.

    Attributes:
        names: of the city.
        qualifiers: of what it lies in: country and region.
        postcode: folded; empty for the city as a whole.
    """

    place: Place
    country_code3: str
    country: str
    population: int
    names: frozenset[str]
    qualifiers: frozenset[str]
    postcode: str


class Gazetteer(Geocoder):  # type: ignore[misc] # geopy comes without types
    """A geopy geocoder over rows in memory.

    Attributes:
        digest: of the rows; other rows may give other answers.
        country_codes: of two letters, by those of three.
        places: all of them.
        cities: those that are whole cities, the largest first.
        country_names: in English, by codes of two letters.
    """

    def __init__(self, entries: Sequence[GazetteerEntry], digest: str) -> None:
        super().__init__()
        self.digest = digest
        self._entries: dict[str, list[GazetteerEntry]] = defaultdict(list)
        for entry in entries:
            for name in entry.names | {entry.postcode} - {""}:
                self._entries[name].append(entry)
        self.places = [entry.place for entry in entries]
        by_size = sorted(entries, key=lambda entry: -entry.population)
        self.cities = [entry.place for entry in by_size if not entry.postcode]
        self.country_names = {entry.place.country_code: entry.country for entry in entries}
        self.country_codes = {entry.country_code3: entry.place.country_code for entry in entries}

    def geocode(
        self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """Return the location that a query means, largest city first; None when there is none.

        Args:
            query: see the module.
            exactly_one: False: return all, as a list.
            timeout: not used; the caller need not know that nobody is asked.
        """
        locations = [_location(entry) for entry in self._matches(query)]
        if not locations:
            return None
        return locations[0] if exactly_one else locations

    def _matches(self, query: str) -> list[GazetteerEntry]:
        parts = [part for part in map(folded, query.split(",")) if part]
        if not parts:
            return []
        matches = [
            entry
            for entry in self._entries.get(parts[0], ())
            if (not entry.postcode or entry.postcode in parts)
            and set(parts[1:]) <= entry.names | entry.qualifiers | {entry.postcode}
        ]
        return sorted(matches, key=lambda entry: (-entry.population, entry.place.country_code, entry.postcode))


def _location(entry: GazetteerEntry) -> Location:
    place = entry.place
    named = [place.postcode, place.city, place.region, entry.country]
    return Location(", ".join(name for name in named if name), (place.latitude, place.longitude), {"place": place})


@cache
def load_gazetteer() -> Gazetteer:
    """Read config/gazetteer.csv, once a process."""
    text = resource("config/gazetteer.csv").read_text(encoding="utf-8")
    entries = [_entry_from_row(row) for row in csv.DictReader(text.splitlines())]
    return Gazetteer(entries, digest=hashlib.sha256(text.encode()).hexdigest()[:12])


def _entry_from_row(row: dict[str, str]) -> GazetteerEntry:
    code = row["country_code"]
    around = (code, row["country_code3"], row["country"], row["region"], row["region_code"], *_MORE_COUNTRY_NAMES.get(code, ()))
    return GazetteerEntry(
        place=Place(
            country_code=code,
            region=row["region"] or None,
            city=row["city"],
            postcode=row["postcode"] or None,
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
        ),
        country_code3=row["country_code3"],
        country=row["country"],
        population=int(row["population"]),
        names=frozenset(map(folded, (row["city"], *filter(None, row["also_called"].split("|"))))),
        qualifiers=frozenset(map(folded, filter(None, around))),
        postcode=folded(row["postcode"]),
    )
