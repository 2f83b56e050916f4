"""The known place that is nearest to a point: what is kept of where a photograph was taken, and never the point itself."""

from collections.abc import Iterable

from deep_images_hub.places.distance import boxes_around, distance_km
from deep_images_hub.places.place import Place

# Farther from every known city than this, a photograph has no place.
MAX_DISTANCE_KM = 100.0


def nearest_place(places: Iterable[Place], *, latitude: float, longitude: float) -> Place | None:
    """Return the nearest city, as a whole, within MAX_DISTANCE_KM; None where there is none.

    Raises:
        InvalidInputError: the point is not on the Earth.
    """
    boxes = boxes_around(latitude, longitude, MAX_DISTANCE_KM)
    near = [
        (distance, place.country_code, place.city, place)
        for place in places
        if place.postcode is None
        and any(box.south <= place.latitude <= box.north and box.west <= place.longitude <= box.east for box in boxes)
        and (distance := distance_km(latitude, longitude, place.latitude, place.longitude)) <= MAX_DISTANCE_KM
    ]
    return min(near)[3] if near else None
