"""A map of the world as SVG coordinates, from nothing but places: batches over the cities that the gazetteer knows.

Pure. Longitude and latitude are drawn as they are, since the points are coarse and no foreign host draws a finer map.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

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


def places_on_map(geojson: Mapping[str, Any]) -> list[PlaceOnMap]:
    """Gather a collection of batches by city, the largest first, so that smaller ones are drawn over them.

    Args:
        geojson: a FeatureCollection as `catalogue.batches.latest_batches_geojson` gives it.
    """
    by_city: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for feature in geojson["features"]:
        by_city[feature["properties"]["country_code"], feature["properties"]["city"]].append(feature)
    found = []
    for (country_code, city), features in by_city.items():
        longitude, latitude = features[0]["geometry"]["coordinates"]
        accepted = sum(feature["properties"]["accepted"] for feature in features)
        x, y = _position(longitude, latitude)
        radius = min(_MAX_RADIUS, _MIN_RADIUS + 0.8 * math.log10(1 + accepted))
        found.append(PlaceOnMap(x, y, round(radius, 2), country_code, city, len(features), accepted))
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
    return "".join(f"M{x:g} {y:g}h0" for x, y in sorted(points))


def _position(longitude: float, latitude: float) -> tuple[float, float]:
    return round(longitude + 180, 1), round(NORTH - min(NORTH, max(SOUTH, latitude)), 1)
