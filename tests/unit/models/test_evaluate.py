"""What is said of a classifier."""

import numpy as np
import pytest

from models.calibration import thresholds_by
from models.evaluate import HeldOut, Label, confusion_matrix, judge, judge_scores
from models.intervals import wilson_interval


def split_of(truth: list[int], groups: list[int] | None = None, families: np.ndarray | None = None) -> HeldOut:
    """Make a test split of pictures that have nothing to do with one another, unless it is said."""
    own = np.eye(max(truth) + 8, dtype=bool) if families is None else families
    return HeldOut(np.array(truth), np.array(groups or range(len(truth))), own)


LABELS = [Label("/m/014j1m", "Apple"), Label("/m/09qck", "Banana"), Label("/m/0388q", "Grape")]


def test_judge_of_a_small_split_gives_what_a_hand_calculation_gives() -> None:
    truth = split_of([0, 0, 0, 1, 1])
    said = np.array([0, 0, 1, 1, 2])
    metrics = judge(np.eye(3)[said] * 0.8 + 0.1, truth, [1, 7, 2], LABELS)

    assert metrics["test_top1"] == pytest.approx(3 / 5)
    assert metrics["test_top_k"] == 1.0
    assert metrics["k"] == 3
    # The training split's majority is class 1, of which the test split has two.
    assert metrics["majority_top1"] == pytest.approx(2 / 5)
    assert metrics["confusion"] == [[2, 1, 0], [0, 1, 1], [0, 0, 0]]
    apple, banana, grape = metrics["per_class"]
    assert apple["code"] == "/m/014j1m"
    assert (apple["precision"], apple["recall"], apple["support"]) == (1.0, pytest.approx(2 / 3), 3)
    assert (banana["precision"], banana["recall"], banana["f1"]) == (0.5, 0.5, 0.5)
    assert (grape["precision"], grape["recall"], grape["f1"], grape["support"]) == (0.0, None, 0.0, 0)
    assert metrics["macro_f1"] == pytest.approx((4 / 5 + 0.5) / 2)


def test_judge_of_a_class_that_is_never_said_has_no_precision() -> None:
    metrics = judge(np.array([[1.0, 0, 0]]), split_of([1]), [1, 1, 1], LABELS)

    assert metrics["per_class"][1]["precision"] is None
    assert metrics["per_class"][1]["recall"] == 0.0


def test_top_k_looks_at_five_answers() -> None:
    labels = [Label(str(number), str(number)) for number in range(8)]
    probabilities = np.tile(np.arange(8.0), (8, 1))  # best to worst: 7, 6, ... 0

    metrics = judge(probabilities, split_of(list(range(8))), [1] * 8, labels)

    assert metrics["k"] == 5
    assert metrics["test_top_k"] == pytest.approx(5 / 8)


def test_confusion_matrix_adds_up_pictures_of_one_cell() -> None:
    assert confusion_matrix(np.array([1, 1, 0]), np.array([0, 0, 0]), 2).tolist() == [[1, 0], [2, 0]]


@pytest.mark.parametrize(
    ("right", "count", "expected"),
    # Brown, Cai, DasGupta 2001, doi:10.1214/ss/1009213286, and the score test's closed form at the ends.
    [(0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634)), (10, 10, (0.7225, 1.0)), (81, 263, (0.2553, 0.3662))],
)
def test_wilson_interval_is_the_published_one(right: int, count: int, expected: tuple[float, float]) -> None:
    assert wilson_interval(right, count) == pytest.approx(expected, abs=1e-4)


def test_interval_is_wider_where_pictures_came_together() -> None:
    truth = [0, 1] * 20
    said = np.array(truth)
    said[:10] = 2  # one batch of ten, all wrong
    probabilities = np.eye(3)[said]

    alone = judge(probabilities, split_of(truth), [1, 1, 1], LABELS)["test_top1_interval"]
    together = judge(probabilities, split_of(truth, groups=[at // 10 for at in range(40)]), [1, 1, 1], LABELS)[
        "test_top1_interval"
    ]

    assert together[0] < alone[0] < 0.75 < alone[1] < together[1]


def test_answer_of_the_same_family_is_half_right() -> None:
    families = np.array([[True, True, False], [True, True, False], [False, False, True]])
    metrics = judge(np.eye(3)[[1, 2, 2]], split_of([0, 0, 2], families=families), [1, 1, 1], LABELS)

    assert metrics["test_top1"] == pytest.approx(1 / 3)
    assert metrics["family_top1"] == pytest.approx(2 / 3)
    one_family = np.ones((3, 3), dtype=bool)
    assert judge(np.eye(3), split_of([0, 1, 2], families=one_family), [1, 1, 1], LABELS)["family_top1"] is None


def test_scores_are_judged_by_bins_and_thresholds() -> None:
    scores = np.array([0.9, 0.9, 0.8, 0.6])
    said = judge_scores(np.stack([scores, 1 - scores], axis=1), np.array([0, 0, 0, 1]), None)

    assert said["error"] == pytest.approx((0.1 + 0.1 + 0.2 + 0.6) / 4)
    assert said["error_before"] == pytest.approx(said["error"], abs=1e-6)
    assert said["thresholds"][-1] == {"precision": 0.99, "score": pytest.approx(0.8), "share": 0.75}
    assert said["threshold_images"] is None
    nothing_is_right = judge_scores(np.array([[0.9, 0.1]]), np.array([1]), None)
    assert nothing_is_right["thresholds"][0] == {"precision": 0.8, "score": None, "share": None}


def test_scores_to_take_are_those_of_pictures_held_out_by_look_where_there_are_such() -> None:
    held_out = thresholds_by(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    said = judge_scores(np.array([[0.7, 0.3]]), np.array([0]), 1.0, held_out)

    assert said["thresholds"][0] == {"precision": 0.8, "score": 0.9, "share": 0.5}
    assert said["threshold_images"] == 2
