"""Whoever turns a place's name into a place: our own gazetteer, or a service on the network, each behind geopy.

Services are asked at most once a second, as Nominatim's usage policy has it; `catalogue.places` keeps what they answer.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geopy.exc import GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import ArcGIS, Nominatim, Photon
from geopy.location import Location

from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.places.gazetteer import load_gazetteer
from deep_images_hub.places.place import Place
from deep_images_hub.settings import Settings

MAX_QUERY_CHARACTERS = 200
_PAUSE_BETWEEN_QUERIES_S = 1.0
_PAUSE_AFTER_ERROR_S = 2.0
_RETRIES = 2


@dataclass(frozen=True)
class PlaceGeocoder:
    """A geocoder that answers with places of the hub's kind.

    Attributes:
        name: who answers, also under which name answers are kept; another gazetteer has another name.
        geocode: a geopy geocoder's method, or one that waits between queries.
        place_from_location: None when the answer is not at least a city.
    """

    name: str
    geocode: Callable[[str], Location | None]
    place_from_location: Callable[[Location], Place | None]

    def find(self, query: str) -> Place | None:
        """Return the place that a query means; None when there is no such place.

        Raises:
            InvalidInputError: the query is empty, too long or not text.
            UnavailableError: the service did not answer.
        """
        try:
            location = self.geocode(normalised_query(query))
        except GeopyError as error:
            raise UnavailableError(
                f"The geocoder {self.name!r} did not say where {query!r} is: {error or type(error).__name__}. "
                "Try again later, or set HUB_GEOCODER=offline."
            ) from error
        return None if location is None else self.place_from_location(location)


def open_geocoder(settings: Settings) -> PlaceGeocoder:
    """Open the geocoder that the settings name. Nobody is asked yet."""
    if settings.geocoder == "offline":
        gazetteer = load_gazetteer()
        return PlaceGeocoder(f"offline {gazetteer.digest}", gazetteer.geocode, lambda location: location.raw["place"])
    asked = {"user_agent": settings.geocoder_user_agent, "timeout": settings.geocoder_timeout_s}
    if settings.geocoder == "nominatim":
        return nominatim_geocoder(Nominatim(**asked))
    if settings.geocoder == "photon":
        return photon_geocoder(Photon(**asked))
    return arcgis_geocoder(ArcGIS(**asked))


def normalised_query(query: str) -> str:
    """Return a query without what makes no difference, so that equal questions are asked once.

    Raises:
        InvalidInputError: it is empty, too long or not text.
    """
    if any(unicodedata.category(character) in ("Cc", "Cs") and not character.isspace() for character in query):
        raise InvalidInputError(f"{query!r} is not the name of a place: it has control characters or half a surrogate pair.")
    normalised = " ".join(unicodedata.normalize("NFC", query).split()).casefold()
    if not any(character.isalnum() for character in normalised):
        raise InvalidInputError(f"{query!r} is not the name of a place. Expected a city or a postcode, such as 'Toronto, CA'.")
    if len(normalised) > MAX_QUERY_CHARACTERS:
        raise InvalidInputError(
            f"The name of a place has {len(normalised)} characters; at most {MAX_QUERY_CHARACTERS} are expected. "
            "Give a city or a postcode."
        )
    return normalised


def nominatim_geocoder(service: Nominatim) -> PlaceGeocoder:
    """Wrap OpenStreetMap's Nominatim."""
    ask = _politely(service)

    def place_from_location(location: Location) -> Place | None:
        return _place(location, location.raw.get("address", {}), "country_code", "state", "postcode", _SETTLEMENTS)

    return PlaceGeocoder("nominatim", lambda query: ask(query, addressdetails=True, language="en"), place_from_location)


def photon_geocoder(service: Photon) -> PlaceGeocoder:
    """Wrap Komoot's Photon."""
    ask = _politely(service)

    def place_from_location(location: Location) -> Place | None:
        found = dict(location.raw.get("properties", {}))
        if found.get("type") == "city":
            # The answer is the city itself.
            found["city"] = found.get("name")
        return _place(location, found, "countrycode", "state", "postcode", ("city",))

    return PlaceGeocoder("photon", lambda query: ask(query, language="en"), place_from_location)


def arcgis_geocoder(service: ArcGIS) -> PlaceGeocoder:
    """Wrap Esri's ArcGIS, which names countries by three letters."""
    ask = _politely(service)
    country_codes = load_gazetteer().country_codes

    def place_from_location(location: Location) -> Place | None:
        found = dict(location.raw.get("attributes", {}))
        found["Country"] = country_codes.get(found.get("Country", ""))
        return _place(location, found, "Country", "Region", "Postal", ("City",))

    return PlaceGeocoder("arcgis", lambda query: ask(query, out_fields="*"), place_from_location)


# What Nominatim calls a place where people live, largest first.
_SETTLEMENTS = ("city", "town", "village", "municipality", "hamlet")


def _politely(service: Any) -> Callable[..., Location | None]:
    limited: Callable[..., Location | None] = RateLimiter(
        service.geocode,
        min_delay_seconds=_PAUSE_BETWEEN_QUERIES_S,
        max_retries=_RETRIES,
        error_wait_seconds=_PAUSE_AFTER_ERROR_S,
        swallow_exceptions=False,
    )
    return limited


def _place(
    location: Location, found: Mapping[str, Any], country_code: str, region: str, postcode: str, cities: tuple[str, ...]
) -> Place | None:
    """Make a place of a service's answer, given the service's names of the fields; None for what is no city, such as an ocean."""
    city = next((found[field] for field in cities if found.get(field)), None)
    if not (city and found.get(country_code)):
        return None
    return Place(
        country_code=found[country_code].upper(),
        region=found.get(region) or None,
        city=city,
        postcode=found.get(postcode) or None,
        latitude=location.latitude,
        longitude=location.longitude,
    )
