import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.places import Place, PlaceGeocoder, open_geocoder
from deep_images_hub.places.gazetteer import folded, load_gazetteer
from deep_images_hub.settings import load_settings


@pytest.fixture(scope="module")
def geocoder() -> PlaceGeocoder:
    return open_geocoder(load_settings({"geocoder": "offline"}))


@pytest.mark.parametrize(
    ("query", "country_code", "city", "postcode"),
    [
        ("Toronto", "CA", "Toronto", None),
        ("M5V 2T6", "CA", "Toronto", "M5V 2T6"),
        ("m5v2t6", "CA", "Toronto", "M5V 2T6"),
        ("M5V 2T6, Toronto, ON, Canada", "CA", "Toronto", "M5V 2T6"),
        ("Toronto, M5V 2T6", "CA", "Toronto", "M5V 2T6"),
        ("Hell's Kitchen", "US", "Hell's Kitchen", None),
        ("hell’s  KITCHEN, new york", "US", "Hell's Kitchen", None),
        ("St. John's, NL", "CA", "St. John's", None),
        ("Paris", "FR", "Paris", None),
        ("Paris, US", "US", "Paris", None),
        ("Paris, Texas, USA", "US", "Paris", None),
        ("paris,tx", "US", "Paris", None),
        ("London", "GB", "London", None),
        ("London, Ontario", "CA", "London", None),
        ("London, UK", "GB", "London", None),
        ("Sao Paulo", "BR", "São Paulo", None),
        ("ZÜRICH", "CH", "Zürich", None),
        ("Zürich", "CH", "Zürich", None),
        ("Xi'an", "CN", "Xi'an", None),
        ("Tromso", "NO", "Tromsø", None),
        ("New York", "US", "New York City", None),
        ("Washington, D.C.", "US", "Washington", None),
        ("東京", "JP", "Tokyo", None),
        ("Cologne, Germany", "DE", "Köln", None),
        (" , Toronto, ", "CA", "Toronto", None),
    ],
)
def test_find_of_a_known_place(geocoder: PlaceGeocoder, query: str, country_code: str, city: str, postcode: str | None) -> None:
    place = geocoder.find(query)
    assert place is not None
    assert (place.country_code, place.city, place.postcode) == (country_code, city, postcode)


def test_every_city_is_found_by_its_name_and_the_largest_come_first(geocoder: PlaceGeocoder) -> None:
    cities = load_gazetteer().cities
    assert [place for place in cities if geocoder.find(place.city_name) != place] == []
    assert not any(place.postcode for place in cities)
    names = [place.city for place in cities]
    assert names.index("Tokyo") < names.index("Toronto") < names.index("Andorra la Vella")


@pytest.mark.parametrize(
    "query",
    ["Atlantis", "Toronto, France", "Paris, XX", "Canada", "US", "Toronto 10001", "M5V 2T6, Paris", "'; drop table places; --1"],
)
def test_find_of_what_is_no_place_gives_none(geocoder: PlaceGeocoder, query: str) -> None:
    assert geocoder.find(query) is None


@pytest.mark.parametrize("query", ["", "  ", ",,,", "'", "To\x00ronto", "\udc80toronto", "x" * 201])
def test_find_of_what_is_no_name_is_refused(geocoder: PlaceGeocoder, query: str) -> None:
    with pytest.raises(InvalidInputError, match="name of a place"):
        geocoder.find(query)


def test_geocode_of_several_places_gives_the_largest_first() -> None:
    locations = load_gazetteer().geocode("London", exactly_one=False)
    assert isinstance(locations, list)
    assert [location.raw["place"].country_code for location in locations][:2] == ["GB", "CA"]
    assert locations[0].address == "London, England, United Kingdom"


def test_gazetteer_has_sound_rows_only() -> None:
    gazetteer = load_gazetteer()
    entries = {id(entry): entry for entries in gazetteer._entries.values() for entry in entries}.values()
    assert len(entries) > 850
    assert len(gazetteer.country_codes) > 230
    named = [(entry.place.country_code, entry.place.region, folded(entry.place.city), entry.postcode) for entry in entries]
    assert len(set(named)) == len(named)
    assert all(entry.names and all(entry.names) and entry.population >= 0 for entry in entries)


@pytest.mark.parametrize(
    ("one", "other"),
    [("St. John's", "st johns"), ("Łódź", "lodz"), ("Straße", "STRASSE"), ("Ærø", "aero"), ("İzmir", "izmir"), ("São", "sao")],
)
def test_folded_names_are_equal(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_place_is_coarse() -> None:
    place = Place("CA", "Ontario", "Toronto", "M5V 2T6", 43.642566, -79.387057)
    assert (place.latitude, place.longitude) == (43.64, -79.39)


@pytest.mark.parametrize(
    ("country_code", "city", "latitude", "longitude"),
    [
        ("ca", "Toronto", 0, 0),
        ("CAN", "Toronto", 0, 0),
        ("CA", " ", 0, 0),
        ("CA", "To\x00ronto", 0, 0),
        ("CA", "Toronto", 91, 0),
        ("CA", "Toronto", float("nan"), 0),
        ("CA", "Toronto", 0, 181),
    ],
)
def test_place_that_cannot_be_is_refused(country_code: str, city: str, latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidInputError, match=r"Expected|empty|cannot be shown"):
        Place(country_code, None, city, None, latitude, longitude)
