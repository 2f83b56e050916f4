"""A map of the world as SVG coordinates, from nothing but places: batches over the cities that the gazetteer knows.

Pure. Longitude and latitude are drawn as they are, since the points are coarse and no foreign host draws a finer map.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from deep_images_hub.catalogue.batches import BatchesPlace
from deep_images_hub.places.gazetteer import load_gazetteer

# Where people live: from the north of Greenland to Cape Horn. One unit is one degree.
NORTH, SOUTH = 80, -58
WIDTH, HEIGHT = 360, NORTH - SOUTH
GRATICULE_STEP = 30
_MIN_RADIUS, _MAX_RADIUS = 1.6, 6.0


@dataclass(frozen=True)
class PlaceOnMap:
    """A place that batches come from.

    Attributes:
        x, y, radius: in degrees from the map's upper left; a place with more pictures is larger.
        accepted: pictures of these batches that were let in.
    """

    x: float
    y: float
    radius: float
    country_code: str
    city: str
    batches: int
    accepted: int


def places_on_map(places: Iterable[BatchesPlace]) -> list[PlaceOnMap]:
    """Return where places are on the map, the largest first, so that smaller ones are drawn over them."""
    found = []
    for place in places:
        x, y = _position(place.longitude, place.latitude)
        radius = round(min(_MAX_RADIUS, _MIN_RADIUS + 0.8 * math.log10(1 + place.accepted)), 2)
        found.append(PlaceOnMap(x, y, radius, place.country_code, place.city, place.batches, place.accepted))
    return sorted(found, key=lambda place: (-place.accepted, place.country_code, place.city))


def graticule() -> str:
    """Return the path of the meridians and parallels."""
    meridians = [f"M{x} 0V{HEIGHT}" for x in range(0, WIDTH + 1, GRATICULE_STEP)]
    first = NORTH % GRATICULE_STEP
    parallels = [f"M0 {y}H{WIDTH}" for y in range(first, HEIGHT + 1, GRATICULE_STEP)]
    return "".join(meridians + parallels)


@cache
def cities() -> str:
    """Return the path of a dot for each city that the gazetteer knows: together they show where the land is."""
    points = {_position(place.longitude, place.latitude) for place in load_gazetteer().places if SOUTH <= place.latitude <= NORTH}
    path, before = [], (0.0, 0.0)
    for x, y in sorted(points):
        # From dot to dot: thousands of digits less than where each lies.
        path.append(f"m{round(x - before[0], 1):g} {round(y - before[1], 1):g}h0")
        before = x, y
    return "".join(path)


def _position(longitude: float, latitude: float) -> tuple[float, float]:
    return round(longitude + 180, 1), round(NORTH - min(NORTH, max(SOUTH, latitude)), 1)
