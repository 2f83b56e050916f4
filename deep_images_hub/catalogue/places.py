"""Places in the catalogue: each kept once, each question put to a geocoder once, and which places are near."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.tables import geocodings, places
from deep_images_hub.places.distance import boxes_around, distance_km
from deep_images_hub.places.geocoders import PlaceGeocoder, normalised_query
from deep_images_hub.places.place import Place

_PLACE_COLUMNS = (
    places.c.country_code,
    places.c.region,
    places.c.city,
    places.c.postcode,
    places.c.latitude,
    places.c.longitude,
)


@dataclass(frozen=True)
class NearPlace:
    """A place and how far it is from where was asked."""

    place_id: int
    place: Place
    distance_km: float


def place_for(connection: Connection, geocoder: PlaceGeocoder, query: str) -> int | None:
    """Return the place that a query means, asking the geocoder only when nobody has asked it before.

    The answer is kept, also that there is no such place. A service may take seconds: hold no locks meanwhile.

    Returns:
        The place's id; None when there is no such place.

    Raises:
        InvalidInputError: the query is empty, too long or not text.
        UnavailableError: the service did not answer; nothing is kept.
    """
    question = {"geocoder": geocoder.name, "query": normalised_query(query)}
    known = select(geocodings.c.place_id).filter_by(**question)
    if (answer := connection.execute(known).one_or_none()) is not None:
        known_id: int | None = answer.place_id
        return known_id
    place = geocoder.find(query)
    place_id = None if place is None else add_place(connection, place)
    connection.execute(insert(geocodings).values(**question, place_id=place_id).on_conflict_do_nothing())
    return place_id


def add_place(connection: Connection, place: Place) -> int:
    """Return the id of a place, adding it when it is new. Where it was first said to be is where it stays."""
    named = {
        "country_code": place.country_code,
        "region": place.region,
        "city": place.city,
        "postcode": place.postcode,
    }
    same = and_(*(places.c[column].is_not_distinct_from(value) for column, value in named.items()))
    found = connection.execute(select(places.c.id).where(same)).scalar_one_or_none()
    if found is None:
        added = insert(places).values(**named, latitude=place.latitude, longitude=place.longitude)
        found = connection.execute(added.on_conflict_do_nothing().returning(places.c.id)).scalar_one_or_none()
    if found is None:
        # Somebody else has added it since we looked.
        found = connection.execute(select(places.c.id).where(same)).scalar_one()
    return int(found)


def within_km(connection: Connection, *, latitude: float, longitude: float, radius_km: float) -> list[NearPlace]:
    """Return the places within a radius of a point, nearest first.

    Raises:
        InvalidInputError: the point is not on the Earth, or the radius is not between 0 and half way around it.
    """
    boxes = boxes_around(latitude, longitude, radius_km)
    inside = or_(
        *(and_(places.c.latitude.between(box.south, box.north), places.c.longitude.between(box.west, box.east)) for box in boxes)
    )
    candidates = connection.execute(select(places.c.id, *_PLACE_COLUMNS).where(inside))
    near = [
        NearPlace(place_id, place, distance)
        for place_id, *columns in candidates
        if (distance := distance_km(latitude, longitude, (place := Place(*columns)).latitude, place.longitude)) <= radius_km
    ]
    return sorted(near, key=lambda found: (found.distance_km, found.place_id))


def place_by_id(connection: Connection, place_id: int) -> Place:
    """Return a place."""
    return Place(*connection.execute(select(*_PLACE_COLUMNS).where(places.c.id == place_id)).one())
