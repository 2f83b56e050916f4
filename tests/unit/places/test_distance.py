import pytest
from geopy.distance import geodesic
from hypothesis import example, given
from hypothesis import strategies as st

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.places.distance import Box, boxes_around, distance_km


def is_inside(box: Box, latitude: float, longitude: float) -> bool:
    return box.south <= latitude <= box.north and box.west <= longitude <= box.east


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    radius_km=st.floats(0.1, 20_000),
    bearing=st.floats(0, 360),
    share=st.floats(0, 0.999999),
)
@example(latitude=0.0, longitude=180.0, radius_km=500.0, bearing=90.0, share=0.99)
@example(latitude=0.0, longitude=-180.0, radius_km=500.0, bearing=270.0, share=0.99)
@example(latitude=89.9, longitude=0.0, radius_km=500.0, bearing=0.0, share=0.99)
@example(latitude=-90.0, longitude=0.0, radius_km=1.0, bearing=0.0, share=0.99)
@example(latitude=70.0, longitude=0.0, radius_km=1000.0, bearing=60.0, share=0.999)
@example(latitude=0.0, longitude=0.0, radius_km=100.0, bearing=0.0, share=0.9999)
def test_boxes_hold_every_point_within_the_radius(
    latitude: float, longitude: float, radius_km: float, bearing: float, share: float
) -> None:
    point = geodesic(kilometers=radius_km * share).destination((latitude, longitude), bearing)
    boxes = boxes_around(latitude, longitude, radius_km)
    assert any(is_inside(box, point.latitude, point.longitude) for box in boxes)
    assert all(-90 <= box.south <= box.north <= 90 and -180 <= box.west <= box.east <= 180 for box in boxes)


def test_boxes_of_a_small_circle_are_small() -> None:
    (box,) = boxes_around(43.64, -79.39, 10)
    assert box.north - box.south < 0.2
    assert box.east - box.west < 0.3


def test_boxes_across_the_antimeridian_are_two() -> None:
    boxes = boxes_around(-17.8, 179.9, 50)
    assert len(boxes) == 2
    assert any(is_inside(box, -17.8, -179.9) for box in boxes)
    assert not any(is_inside(box, -17.8, 0) for box in boxes)


def test_distance_of_toronto_and_paris_is_that_of_the_ellipsoid() -> None:
    assert distance_km(43.65, -79.38, 48.86, 2.35) == pytest.approx(6015, abs=10)


@pytest.mark.parametrize(
    ("latitude", "longitude", "radius_km"),
    [
        (91, 0, 1),
        (0, 181, 1),
        (0, 0, 0),
        (0, 0, -1),
        (0, 0, float("nan")),
        (0, 0, float("inf")),
        (float("nan"), 0, 1),
        (0, 0, 30_000),
    ],
)
def test_boxes_around_what_is_not_on_the_earth_are_refused(latitude: float, longitude: float, radius_km: float) -> None:
    with pytest.raises(InvalidInputError, match="Expected"):
        boxes_around(latitude, longitude, radius_km)
