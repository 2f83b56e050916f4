from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Connection, func, select

from deep_images_hub.catalogue.places import add_place, place_for, within_km
from deep_images_hub.catalogue.tables import geocodings, places
from deep_images_hub.errors import UnavailableError
from deep_images_hub.places import Place, PlaceGeocoder, open_geocoder
from deep_images_hub.settings import load_settings
from deep_images_hub.wiring import Hub

TORONTO = Place("CA", "Ontario", "Toronto", "M5V 2T6", 43.64, -79.39)


class CountedGeocoder:
    """The offline geocoder, and how often it was asked."""

    def __init__(self) -> None:
        offline = open_geocoder(load_settings({"geocoder": "offline"}))
        self.asked: list[str] = []
        self.geocoder = PlaceGeocoder("counted", self.geocode, offline.place_from_location)
        self._geocode = offline.geocode

    def geocode(self, query: str) -> object:
        self.asked.append(query)
        return self._geocode(query)


def test_place_for_asks_once_for_what_is_and_what_is_not(connection: Connection) -> None:
    counted = CountedGeocoder()
    toronto = place_for(connection, counted.geocoder, "M5V 2T6")
    assert toronto is not None
    assert place_for(connection, counted.geocoder, "  m5v   2t6 ") == toronto
    assert place_for(connection, counted.geocoder, "M5V 2T6, Toronto") == toronto
    assert place_for(connection, counted.geocoder, "Atlantis") is None
    assert place_for(connection, counted.geocoder, "ATLANTIS") is None
    assert counted.asked == ["m5v 2t6", "m5v 2t6, toronto", "atlantis"]


@pytest.mark.parametrize("query", ["Hell's Kitchen", "São Paulo", "東京", "a'); drop table places; --"])
def test_place_for_a_name_that_is_hostile_to_sql_is_a_question_like_any_other(connection: Connection, query: str) -> None:
    geocoder = open_geocoder(load_settings({"geocoder": "offline"}))
    assert place_for(connection, geocoder, query) == place_for(connection, geocoder, query)
    assert connection.execute(select(geocodings.c.query)).scalars().all() == [query.casefold()]


def test_place_for_when_the_service_is_away_keeps_nothing(connection: Connection) -> None:
    def away(query: str) -> None:
        raise UnavailableError("away")

    with pytest.raises(UnavailableError):
        place_for(connection, PlaceGeocoder("away", away, lambda location: None), "Toronto")
    assert connection.execute(select(func.count()).select_from(geocodings)).scalar_one() == 0


def test_add_place_again_is_the_same_place_also_without_region_and_postcode(connection: Connection) -> None:
    bare = Place("FR", None, "Paris", None, 48.85, 2.35)
    first = add_place(connection, bare)
    assert add_place(connection, bare) == first
    assert add_place(connection, Place("FR", None, "Paris", None, 48.9, 2.4)) == first
    assert add_place(connection, Place("FR", None, "Paris", "75001", 48.86, 2.34)) != first
    assert connection.execute(select(places.c.latitude).where(places.c.id == first)).scalar_one() == 48.85


def test_place_for_by_many_at_once_makes_one_place(hub: Hub) -> None:
    geocoder = open_geocoder(hub.settings)
    together = Barrier(4)

    def ask(query: str) -> int | None:
        together.wait()
        with hub.engine.begin() as connection:
            return place_for(connection, geocoder, query)

    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(ask, ["Toronto", "toronto", "Toronto, CA", "Toronto, Canada"]))
    assert len(set(ids)) == 1
    with hub.engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(places)).scalar_one() == 1


def test_within_km_finds_the_near_ones_nearest_first(connection: Connection) -> None:
    ids = {
        place.city: add_place(connection, place)
        for place in (
            Place("CA", "Ontario", "Hamilton", None, 43.26, -79.87),
            TORONTO,
            Place("CA", "Quebec", "Montréal", None, 45.51, -73.59),
        )
    }
    near = within_km(connection, latitude=43.65, longitude=-79.38, radius_km=100)
    assert [found.place_id for found in near] == [ids["Toronto"], ids["Hamilton"]]
    assert near[0].place == TORONTO
    assert near[1].distance_km == pytest.approx(58.5, abs=1)
    assert within_km(connection, latitude=43.65, longitude=-79.38, radius_km=0.1) == []
    assert len(within_km(connection, latitude=0, longitude=0, radius_km=20_000)) == 3


def test_within_km_looks_across_the_antimeridian_and_over_the_poles(connection: Connection) -> None:
    taveuni = add_place(connection, Place("FJ", None, "Taveuni", None, -16.85, -179.98))
    suva = add_place(connection, Place("FJ", None, "Suva", None, -18.14, 178.44))
    alert = add_place(connection, Place("CA", "Nunavut", "Alert", None, 82.5, -62.35))
    nagurskoye = add_place(connection, Place("RU", None, "Nagurskoye", None, 80.82, 47.63))
    around_fiji = within_km(connection, latitude=-17.0, longitude=179.9, radius_km=300)
    assert [found.place_id for found in around_fiji] == [taveuni, suva]
    over_the_pole = within_km(connection, latitude=89.0, longitude=140.0, radius_km=1200)
    assert {found.place_id for found in over_the_pole} == {alert, nagurskoye}
