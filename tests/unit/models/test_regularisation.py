import numpy as np

from models.regularisation import GRID, asks_for_weights, choose_head


def blobs(count: int, classes: int, *, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    middles = np.random.default_rng(0).normal(size=(classes, 40))
    class_index = np.arange(count, dtype=np.int32) % classes
    return (middles[class_index] + spread * random.normal(size=(count, 40))).astype(np.float32), class_index


def test_choose_head_takes_the_strongest_that_is_about_as_good_as_the_best() -> None:
    training, validation = blobs(60, 4, spread=2.0, seed=1), blobs(60, 4, spread=2.0, seed=2)

    choice = choose_head(training, validation, 4)

    assert choice is not None
    assert [one.l2 for one in choice.tried] == list(GRID)
    assert choice.l2 in GRID
    least = min(one.loss for one in choice.tried)
    assert choice.l2 >= next(one.l2 for one in choice.tried if one.loss == least)
    assert choose_head(training, validation, 4) == choice
    assert not choice.has_class_weights


def test_choose_head_without_enough_validation_pictures_chooses_nothing() -> None:
    assert choose_head(blobs(40, 4, spread=1.0, seed=1), blobs(8, 4, spread=1.0, seed=2), 4) is None


def test_weights_are_asked_for_where_some_labels_have_many_more_pictures() -> None:
    assert asks_for_weights([100, 30])
    assert not asks_for_weights([100, 40])
    assert not asks_for_weights([100, 0, 90])


def test_class_weights_find_more_of_a_rare_label() -> None:
    features, class_index = blobs(400, 2, spread=3.0, seed=1)
    kept = np.flatnonzero((class_index == 0) | (np.arange(400) % 20 == 1))
    validation = blobs(100, 2, spread=3.0, seed=2)

    choice = choose_head((features[kept], class_index[kept]), validation, 2)

    assert choice is not None
    assert choice.has_class_weights
