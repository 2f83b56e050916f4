"""How far apart places are, and which part of a map to look at before measuring."""

import math
from dataclasses import dataclass

from geopy.distance import geodesic

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.places.place import check_point

# Half way around the Earth: no place is farther.
MAX_RADIUS_KM = 20_040.0
# The smallest radius of curvature of WGS 84. A degree is at least so long as on such a ball, so no box comes out too small.
_SMALLEST_RADIUS_KM = 6_335.0


@dataclass(frozen=True)
class Box:
    """A part of the map, in degrees, edges included; west <= east."""

    south: float
    north: float
    west: float
    east: float


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the geodesic distance of two points on the WGS 84 ellipsoid, in kilometres."""
    return float(geodesic((latitude, longitude), (other_latitude, other_longitude)).kilometers)


def boxes_around(latitude: float, longitude: float, radius_km: float) -> list[Box]:
    """Return one or two boxes that hold every point within a radius: two where it crosses the antimeridian.

    Args:
        latitude: degrees, -90 to 90.
        longitude: degrees, -180 to 180.
        radius_km: more than 0, at most half way around the Earth.

    Raises:
        InvalidInputError: an argument is out of range.
    """
    check_point(latitude, longitude)
    if not 0 < radius_km <= MAX_RADIUS_KM:
        raise InvalidInputError(f"The radius {radius_km} km is out of range. Expected more than 0, at most {MAX_RADIUS_KM:.0f}.")
    angle = radius_km / _SMALLEST_RADIUS_KM
    south, north = latitude - math.degrees(angle), latitude + math.degrees(angle)
    if south <= -90 or north >= 90:
        # Around a pole lie all longitudes.
        return [Box(max(south, -90.0), min(north, 90.0), -180.0, 180.0)]
    # Where the circle is widest it touches the meridians; that is not at the height of its centre.
    half_width = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(latitude))))
    west, east = longitude - half_width, longitude + half_width
    if west < -180:
        return [Box(south, north, -180.0, east), Box(south, north, west + 360, 180.0)]
    if east > 180:
        return [Box(south, north, west, 180.0), Box(south, north, -180.0, east - 360)]
    return [Box(south, north, west, east)]
