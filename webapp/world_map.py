"""A map of the world as SVG coordinates, from nothing but places: batches over the cities that the gazetteer knows.

Pure. Longitude and latitude are drawn as they are, since the points are coarse and no foreign host draws a finer map.
"""

import math
from collections.abc import Iterable
from functools import cache
from urllib.parse import quote_plus

from markupsafe import Markup, escape

from deep_images_hub.catalogue.batches import BatchesPlace
from deep_images_hub.places.gazetteer import load_gazetteer
from webapp.wording import plural

# Where people live: from the north of Greenland to Cape Horn. One unit is one degree.
NORTH, SOUTH = 80, -58
WIDTH, HEIGHT = 360, NORTH - SOUTH
GRATICULE_STEP = 30
_MIN_RADIUS, _MAX_RADIUS = 1.6, 6.0
_PLACE = (
    '<a href="{images}?country={country}&amp;city={city}">'
    '<circle cx="{x}" cy="{y}" r="{radius:.2f}"/><title>{words}</title></a>\n'
)


def places_on_map(places: Iterable[BatchesPlace], images: str) -> Markup:
    """Return a circle for each place that batches come from, which leads to its pictures and says how many came.

    The largest come first, so that smaller ones are drawn over them.

    Args:
        images: the address of the hub's pictures.
    """
    circles, start = [], escape(images)
    for place in sorted(places, key=lambda place: (-place.accepted, place.country_code, place.city)):
        x, y = _position(place.longitude, place.latitude)
        circles.append(
            _PLACE.format(
                images=start,
                country=place.country_code,
                city=quote_plus(place.city),
                x=x,
                y=y,
                radius=min(_MAX_RADIUS, _MIN_RADIUS + 0.8 * math.log10(1 + place.accepted)),
                words=escape(
                    f"{place.city}, {place.country_code}: "
                    f"{plural(place.batches, 'batch', 'batches')}, {plural(place.accepted, 'picture')}"
                ),
            )
        )
    return Markup("".join(circles))  # noqa: S704 - everything in it is escaped above


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
