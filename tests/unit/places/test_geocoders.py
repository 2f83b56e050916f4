"""What services answer, as their documentation has it, becomes a place. That they are asked rightly: tests/integration."""

from typing import Any

import pytest
from geopy.exc import GeocoderQuotaExceeded, GeocoderTimedOut
from geopy.geocoders import ArcGIS, Nominatim, Photon
from geopy.location import Location

from deep_images_hub.errors import UnavailableError
from deep_images_hub.places import Place, PlaceGeocoder, open_geocoder
from deep_images_hub.places.geocoders import arcgis_geocoder, nominatim_geocoder, photon_geocoder
from deep_images_hub.settings import load_settings

POINT = (43.6425662, -79.3870568)


def answer(raw: dict[str, Any]) -> Location:
    return Location("somewhere", POINT, raw)


@pytest.mark.parametrize(
    ("geocoder", "raw"),
    [
        (
            nominatim_geocoder(Nominatim(user_agent="tests")),
            {"address": {"city": "Toronto", "state": "Ontario", "postcode": "M5V 2T6", "country_code": "ca", "road": "Front"}},
        ),
        (
            photon_geocoder(Photon(user_agent="tests")),
            {"properties": {"city": "Toronto", "state": "Ontario", "postcode": "M5V 2T6", "countrycode": "CA", "type": "house"}},
        ),
        (
            arcgis_geocoder(ArcGIS(user_agent="tests")),
            {"attributes": {"City": "Toronto", "Region": "Ontario", "Postal": "M5V 2T6", "Country": "CAN"}},
        ),
    ],
    ids=["nominatim", "photon", "arcgis"],
)
def test_answer_of_a_service_becomes_a_coarse_place(geocoder: PlaceGeocoder, raw: dict[str, Any]) -> None:
    assert geocoder.place_from_location(answer(raw)) == Place("CA", "Ontario", "Toronto", "M5V 2T6", 43.64, -79.39)


@pytest.mark.parametrize(
    ("geocoder", "raw"),
    [
        (nominatim_geocoder(Nominatim(user_agent="tests")), {"address": {"country_code": "ca", "country": "Canada"}}),
        (nominatim_geocoder(Nominatim(user_agent="tests")), {}),
        (photon_geocoder(Photon(user_agent="tests")), {"properties": {"name": "Atlantic", "type": "other"}}),
        (arcgis_geocoder(ArcGIS(user_agent="tests")), {"attributes": {"City": "", "Country": "CAN"}}),
        (arcgis_geocoder(ArcGIS(user_agent="tests")), {"attributes": {"City": "Nowhere", "Country": "???"}}),
    ],
)
def test_answer_that_is_no_city_is_no_place(geocoder: PlaceGeocoder, raw: dict[str, Any]) -> None:
    assert geocoder.place_from_location(answer(raw)) is None


def test_city_of_photon_is_its_own_name() -> None:
    raw = {"properties": {"name": "Toronto", "type": "city", "countrycode": "CA"}}
    place = photon_geocoder(Photon(user_agent="tests")).place_from_location(answer(raw))
    assert place == Place("CA", None, "Toronto", None, 43.64, -79.39)


@pytest.mark.parametrize("error", [GeocoderTimedOut("timed out"), GeocoderQuotaExceeded("too many"), GeocoderTimedOut()])
def test_service_that_does_not_answer_is_unavailable_and_named(error: Exception) -> None:
    def fail(query: str) -> None:
        raise error

    with pytest.raises(UnavailableError, match=r"geocoder 'photon' did not say where 'Toronto' is.*HUB_GEOCODER=offline"):
        PlaceGeocoder("photon", fail, lambda location: None).find("Toronto")


@pytest.mark.parametrize("name", ["nominatim", "photon", "arcgis"])
def test_geocoder_is_picked_by_setting(name: str) -> None:
    assert open_geocoder(load_settings({"geocoder": name})).name == name
