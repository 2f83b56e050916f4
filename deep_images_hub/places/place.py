"""A place as the hub keeps it: never finer than a postcode's area, its point never finer than about a kilometre."""

import math
import re
import unicodedata
from dataclasses import dataclass

from deep_images_hub.errors import InvalidInputError

# 0.01 degree of latitude is 1.1 km.
_DECIMALS = 2
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class Place:
    """A city, or a postcode's area in it.

    Attributes:
        country_code: ISO 3166-1 alpha-2, e.g. `CA`.
        region: state or province; None when unknown.
        postcode: None for the city as a whole.
        latitude: degrees, -90 to 90, rounded on the way in.
        longitude: degrees, -180 to 180, rounded on the way in.
    """

    country_code: str
    region: str | None
    city: str
    postcode: str | None
    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not _COUNTRY_CODE.fullmatch(self.country_code):
            raise InvalidInputError(f"{self.country_code!r} is not a country's code. Expected two capital letters, such as CA.")
        if not self.city.strip():
            raise InvalidInputError("A place needs a city, and this one has an empty name.")
        for name in filter(None, (self.region, self.city, self.postcode)):
            if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
                raise InvalidInputError(f"{name!r} cannot be a place's name: it has characters that cannot be shown.")
        check_point(self.latitude, self.longitude)
        object.__setattr__(self, "latitude", round(self.latitude, _DECIMALS))
        object.__setattr__(self, "longitude", round(self.longitude, _DECIMALS))

    @property
    def city_name(self) -> str:
        """The city as people and geocoders understand it: `Toronto, Ontario, CA`."""
        return ", ".join(part for part in (self.city, self.region, self.country_code) if part)


def check_point(latitude: float, longitude: float) -> None:
    """Raise InvalidInputError unless both are degrees on the Earth."""
    if not (math.isfinite(latitude) and -90 <= latitude <= 90):
        raise InvalidInputError(f"The latitude {latitude} is not on the Earth. Expected -90 to 90 degrees.")
    if not (math.isfinite(longitude) and -180 <= longitude <= 180):
        raise InvalidInputError(f"The longitude {longitude} is not on the Earth. Expected -180 to 180 degrees.")
