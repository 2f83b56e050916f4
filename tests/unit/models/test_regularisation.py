import numpy as np

from models.calibration import at_temperature, expected_calibration_error, fit_temperature, reliability
from models.linear_probe import class_probabilities, fit_probe
from models.look_folds import FOLDS, folds_by_look, held_out_look
from models.regularisation import GRID, asks_for_weights, choose_head, solve_head

CLASSES, FEATURES = 4, 40


def blobs(count: int, *, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    middles = np.random.default_rng(0).normal(size=(CLASSES, FEATURES))
    class_index = np.arange(count, dtype=np.int32) % CLASSES
    return (middles[class_index] + spread * random.normal(size=(count, FEATURES))).astype(np.float32), class_index


def shots(places: int, *, seed: int, of_each: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of labels that were shot in bursts, in places which change their look more than the label does."""
    random = np.random.default_rng(seed)
    middles = np.random.default_rng(0).normal(size=(CLASSES, FEATURES))
    class_index = np.repeat(np.arange(CLASSES, dtype=np.int32), places * of_each)
    of_place = np.repeat(random.normal(size=(CLASSES * places, FEATURES)) * 2.5, of_each, axis=0)
    return (middles[class_index] + of_place + random.normal(size=of_place.shape)).astype(np.float32), class_index


def calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return expected_calibration_error(reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth))


def test_folds_keep_pictures_of_a_place_together() -> None:
    features, class_index = shots(FOLDS, seed=1)

    folds = folds_by_look(features, class_index, seed=0)

    of_places = folds.reshape(CLASSES * FOLDS, -1)
    assert (of_places == of_places[:, :1]).mean() > 0.9
    assert all(len(np.unique(folds[class_index == label])) > 2 for label in range(CLASSES))
    assert (folds_by_look(features, class_index, seed=0) == folds).all()


def test_look_that_is_held_out_is_whole_and_leaves_most_of_each_label() -> None:
    features, class_index = shots(FOLDS, seed=1)
    # A label whose pictures are all the same has no look to spare.
    features[class_index == 0] = 0.0

    is_held_out = held_out_look(features, class_index, seed=0)

    of_places = is_held_out.reshape(CLASSES * FOLDS, -1)
    assert (of_places == of_places[:, :1]).mean() > 0.9
    shares = [is_held_out[class_index == label].mean() for label in range(CLASSES)]
    assert shares[0] == 0
    assert all(0 < share < 0.35 for share in shares[1:])


def test_folds_of_a_label_with_one_picture_hold_it_out_once() -> None:
    assert folds_by_look(np.ones((1, 3)), np.zeros(1, np.int32), seed=0).tolist()[0] in range(FOLDS)


def test_head_of_few_places_is_as_sure_of_others_as_it_is_right() -> None:
    features, class_index = shots(FOLDS, seed=1)
    elsewhere, truth = shots(100, seed=2, of_each=1)
    start = [np.zeros((FEATURES, CLASSES), np.float32), np.zeros(CLASSES, np.float32)]

    choice = choose_head(features, class_index, CLASSES, seed=0)
    assert choice is not None
    head = solve_head(features, class_index, start, choice)

    # Beside it, the temperature of a part of every burst, as a validation split of the same places has them.
    is_kept = np.arange(len(class_index)) % 6 == 5
    other = fit_probe(features[~is_kept], class_index[~is_kept], CLASSES, l2=choice.l2)
    temperature = fit_temperature(class_probabilities(other, features[is_kept]), class_index[is_kept])
    assert temperature is not None
    of_split = at_temperature(class_probabilities(other, elsewhere), temperature)
    assert calibration_error(class_probabilities(head, elsewhere), truth) < 0.1 < calibration_error(of_split, truth) / 2


def test_scores_to_take_for_a_precision_hold_in_places_that_were_never_seen() -> None:
    features, class_index = shots(FOLDS * 4, seed=1)
    elsewhere, truth = shots(400, seed=2, of_each=1)
    start = [np.zeros((FEATURES, CLASSES), np.float32), np.zeros(CLASSES, np.float32)]

    choice = choose_head(features, class_index, CLASSES, seed=0)
    assert choice is not None
    assert choice.thresholds is not None
    said = class_probabilities(solve_head(features, class_index, start, choice), elsewhere)

    scores, is_right = said.max(axis=1), said.argmax(axis=1) == truth
    assert choice.thresholds.images == len(class_index)
    for wanted in choice.thresholds.rows[:2]:
        assert wanted.score is not None
        assert is_right[scores >= wanted.score].mean() > wanted.precision - 0.05


def test_choose_head_takes_the_least_loss_of_what_it_tries() -> None:
    training = blobs(120, spread=2.0, seed=1)

    choice = choose_head(*training, CLASSES, seed=0)

    assert choice is not None
    assert [one.l2 for one in choice.tried] == list(GRID)
    assert choice.l2 == min(choice.tried, key=lambda one: one.loss).l2
    assert choose_head(*training, CLASSES, seed=0) == choice
    assert not choice.has_class_weights


def test_choose_head_of_few_pictures_chooses_nothing() -> None:
    assert choose_head(*blobs(39, spread=1.0, seed=1), CLASSES, seed=0) is None


def test_weights_are_asked_for_where_some_labels_have_many_more_pictures() -> None:
    assert asks_for_weights([100, 30])
    assert not asks_for_weights([100, 40])
    assert not asks_for_weights([100, 0, 90])


def test_labels_of_which_one_is_rare_count_the_same() -> None:
    features, class_index = blobs(400, spread=3.0, seed=1)
    kept = np.flatnonzero((class_index > 0) | (np.arange(400) % 40 == 0))

    choice = choose_head(features[kept], class_index[kept], CLASSES, seed=0)

    assert choice is not None
    assert choice.has_class_weights
