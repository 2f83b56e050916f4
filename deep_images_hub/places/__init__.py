"""Coarse places: what suppliers call them, where they are, how far apart. The catalogue's part is `catalogue.places`."""

from deep_images_hub.places.geocoders import PlaceGeocoder, open_geocoder
from deep_images_hub.places.place import Place

__all__ = ["Place", "PlaceGeocoder", "open_geocoder"]
