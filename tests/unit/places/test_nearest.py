import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.places.gazetteer import load_gazetteer
from deep_images_hub.places.nearest import nearest_place


def test_nearest_place_is_a_whole_city_within_reach() -> None:
    places = load_gazetteer().places
    found = nearest_place(places, latitude=43.7, longitude=-79.4)
    assert found is not None
    assert (found.city, found.postcode) == ("Toronto", None)
    assert nearest_place(places, latitude=0.0, longitude=-140.0) is None


def test_nearest_place_of_no_point_on_the_earth_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        nearest_place([], latitude=91.0, longitude=0.0)
