"""How accuracy is expected to grow."""

import numpy as np
import pytest

from models.learning_curve import LearningCurve, Measurement, fit_curve, learning_curve, needs
from models.linear_probe import fit_probe

# Test pictures that have nothing to do with one another.
ALONE = np.arange(800)
CORNERS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])


def clusters(per_class: int, *, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make features of four classes around the corners of a square, and their class indices."""
    random = np.random.default_rng(seed)
    class_index = np.repeat(np.arange(4), per_class)
    features = np.concatenate([CORNERS[class_index], np.zeros((len(class_index), 30))], axis=1)
    return (features + random.normal(0, spread, features.shape)).astype(np.float32), class_index


def test_probe_finds_what_can_be_told_apart() -> None:
    features, class_index = clusters(50, spread=0.2)

    kernel, bias = fit_probe(features, class_index, 4, l2=1e-2)

    assert (kernel.shape, bias.shape) == ((32, 4), (4,))
    assert ((features @ kernel + bias).argmax(axis=1) == class_index).mean() > 0.99


def test_probe_of_a_class_without_pictures_never_says_it() -> None:
    features, class_index = clusters(50, spread=0.2)

    kernel, bias = fit_probe(features, class_index, 5, l2=1e-2)

    assert 4 not in (features @ kernel + bias).argmax(axis=1)


def test_curve_through_points_of_a_power_law_gives_it_back_and_looks_ahead() -> None:
    true = LearningCurve(floor=0.05, scale=0.8, exponent=0.45)
    sizes = [4.0, 8.0, 16.0, 32.0, 64.0]

    found = fit_curve(sizes, [true.accuracy_at(size) for size in sizes], [2000] * 5)

    assert found.accuracy_at(128) == pytest.approx(true.accuracy_at(128), abs=0.01)
    assert found.images_for(0.85) == pytest.approx(true.images_for(0.85), rel=0.15)
    assert LearningCurve(0.2, 0.8, 0.5).images_for(0.9) == float("inf")


def test_curve_measured_on_half_of_the_pictures_foretells_what_all_of_them_give() -> None:
    training, test = clusters(160, spread=0.7), clusters(200, spread=0.7, seed=1)
    is_half = np.arange(640) % 2 == 0

    half = learning_curve((training[0][is_half], training[1][is_half]), test, [80] * 4, groups=ALONE, seed=0)
    whole = learning_curve(training, test, [160] * 4, groups=ALONE, seed=0)

    assert half is not None
    assert whole is not None
    assert half["twice"] == pytest.approx(whole["points"][-1]["accuracy"], abs=0.03)
    assert half["twice_interval"][0] <= half["twice"] <= half["twice_interval"][1]
    assert all(goal["accuracy"] > half["points"][-1]["accuracy"] for goal in half["goals"])
    assert learning_curve(training, test, [160] * 4, groups=ALONE, seed=0) == whole


def test_label_that_is_found_less_often_needs_more_pictures_and_one_that_is_always_found_none() -> None:
    curve = LearningCurve(floor=0.0, scale=1.0, exponent=0.5)  # 0.8 at 25 pictures, 0.9 at 100
    test_class = np.repeat([0, 1], 200)
    is_right = np.concatenate([np.ones(200, bool), np.arange(200) < 120])

    easy, hard = needs([Measurement(25.0, is_right)], [curve] * 50, test_class, [25, 25], accuracy=0.9, seed=0)

    assert (easy.low, easy.likely, easy.high) == (0, 0, 0)
    assert hard.low is not None
    assert hard.likely is not None
    # An error of 0.4 has to fall to a quarter, which takes sixteen times the pictures.
    assert hard.low < 375 == pytest.approx(hard.likely, rel=0.15)


def test_more_pictures_than_can_be_foreseen_are_not_told() -> None:
    curve = LearningCurve(floor=0.15, scale=0.5, exponent=0.5)
    is_right = np.arange(100) < 60

    (need,) = needs([Measurement(9.0, is_right)], [curve] * 20, np.zeros(100, int), [9], accuracy=0.95, seed=0)

    assert (need.low, need.likely, need.high) == (None, None, None)


def test_interval_is_wider_where_test_pictures_came_together() -> None:
    training, test = clusters(40, spread=0.7), clusters(200, spread=0.7, seed=1)
    # Batches of a hundred that are about as hard: those of the first are mostly mistaken, those of the last never.
    hardness = (test[0][:, :2] * CORNERS[test[1]]).min(axis=1).argsort(kind="stable").argsort(kind="stable")

    alone = learning_curve(training, test, [40] * 4, groups=ALONE, seed=0)
    together = learning_curve(training, test, [40] * 4, groups=hardness // 100, seed=0)

    assert alone is not None
    assert together is not None
    assert together["points"] == alone["points"]
    low, high = alone["twice_interval"]
    wide_low, wide_high = together["twice_interval"]
    assert wide_high - wide_low > high - low


def test_few_test_pictures_give_no_curve() -> None:
    training, test = clusters(20, spread=0.5), clusters(12, spread=0.5, seed=1)

    assert learning_curve(training, test, [20] * 4, groups=ALONE[:48], seed=0) is None
