import numpy as np

from models.random_features import random_features_top1


def grids(count: int, seed: int, *, is_told: bool) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels of two labels: bright and dark ones, or ones that say nothing."""
    random = np.random.default_rng(seed)
    class_index = np.arange(count) % 2
    levels = random.normal(120, 20, (count, 64)) + (class_index[:, None] * 40 if is_told else 0)
    return levels.clip(0, 255).astype(np.uint8), class_index


def test_random_features_find_what_light_alone_tells_and_nothing_where_it_tells_nothing() -> None:
    told = random_features_top1(grids(200, 1, is_told=True), grids(100, 2, is_told=True), 2, seed=0)
    untold = random_features_top1(grids(200, 3, is_told=False), grids(100, 4, is_told=False), 2, seed=0)

    assert told is not None
    assert told > 0.95
    assert untold is not None
    assert untold < 0.7


def test_random_features_of_far_too_many_pictures_and_labels_are_not_measured() -> None:
    assert random_features_top1(grids(2_100, 1, is_told=True), grids(10, 2, is_told=True), 2_000, seed=0) is None
