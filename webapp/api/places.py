"""Places: the cities that photographs can be sent from by name, which the map of the form to send them is made of."""

from deep_images_hub.places.gazetteer import load_gazetteer
from deep_images_hub.wire.places import Cities, City
from webapp.access import public
from webapp.api.operations import api


@api.get("/places", tag="Uploads", answer=Cities)
@public
def list_places() -> Cities:
    """List the cities that the hub knows by itself, the largest first.

    Others are understood too, by name or postcode, where the hub asks a geocoder.
    """
    known = load_gazetteer().cities
    return Cities(places=[City(name=place.city_name, latitude=place.latitude, longitude=place.longitude) for place in known])
