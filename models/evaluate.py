"""How good a classifier is, on pictures that it never saw. Plain numbers: imports no Keras."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import Thresholds, at_temperature, expected_calibration_error, reliability, thresholds_by
from models.intervals import bootstrap_interval, wilson_interval

_TOP_K = 5


@dataclass(frozen=True)
class Label:
    """A class. Its place in a list of labels is the class index."""

    code: str
    name: str


@dataclass(frozen=True)
class HeldOut:
    """The test split: what a classifier is judged on.

    Attributes:
        class_index: (n,), the truth; n at least 1.
        groups: (n,), the batch or group of copies that a picture belongs to: what befalls one of a group befalls the others.
        families: (classes, classes), whether two labels have a parent in common.
    """

    class_index: NDArray[np.integer]
    groups: NDArray[np.integer]
    families: NDArray[np.bool_]


def judge(
    probabilities: NDArray[np.floating], test: HeldOut, train_counts: Sequence[int], labels: Sequence[Label]
) -> dict[str, Any]:
    """Judge a classifier on its test split.

    Args:
        probabilities: (n, classes).
        train_counts: pictures of each class in the training split; the majority's is the baseline to beat.
        labels: by class index.

    Returns:
        JSON values: `test_top1`; `test_top1_interval` (95 %: Wilson's, or that of a bootstrap over groups where it is wider);
        `family_top1`, the share of answers that are right or have a parent in common with what is right, null where all labels
        have one; `test_top_k` and its `k`; `majority_top1`, what always saying the training split's most frequent label would
        reach; `macro_f1`, the mean over the labels of the test split, and `macro_f1_interval`; `per_class`, by class index
        (precision is null where the class was never said, recall where the split has none); `confusion`, rows are the truth,
        columns what was said.
    """
    class_index, said = test.class_index, probabilities.argmax(axis=1)
    is_right = said == class_index
    confusion = confusion_matrix(class_index, said, len(labels))
    k = min(_TOP_K, len(labels))
    best_k = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    right_count = int(is_right.sum())
    wilson = wilson_interval(right_count, len(class_index))
    resampled = bootstrap_interval(lambda chosen: float(is_right[chosen].mean()), test.groups)
    return {
        "test_top1": right_count / len(class_index),
        "test_top1_interval": [min(wilson[0], resampled[0]), max(wilson[1], resampled[1])],
        "family_top1": None if test.families.all() else float((is_right | test.families[class_index, said]).mean()),
        "test_top_k": float((best_k == class_index[:, None]).any(axis=1).mean()),
        "k": k,
        "majority_top1": float((class_index == int(np.argmax(train_counts))).mean()),
        "macro_f1": _macro_f1(confusion),
        "macro_f1_interval": bootstrap_interval(
            lambda chosen: _macro_f1(confusion_matrix(class_index[chosen], said[chosen], len(labels))), test.groups
        ),
        "per_class": _per_class(confusion, labels),
        "confusion": confusion.tolist(),
    }


def judge_scores(
    probabilities: NDArray[np.floating],
    class_index: NDArray[np.integer],
    temperature: float | None,
    thresholds: Thresholds | None = None,
) -> dict[str, Any]:
    """Say whether a classifier's scores are what they claim, on its test split.

    Args:
        probabilities: (n, classes), at the temperature.
        class_index: (n,), the truth.
        temperature: that its logits were divided by (`models.calibration.fit_temperature`); None: they were left as they were.
        thresholds: by pictures held out by look, which say more of other places than the test split; None: there were none.

    Returns:
        JSON values: `temperature`; the expected calibration `error`, and `error_before` the temperature; `bins` of answers by
        score; `thresholds`, for each wanted `precision` the `score` from which on answers are as good and the `share` of answers
        that reach it, both null where none is; `threshold_images`, how many pictures held out by look say so, null: the test
        split does.
    """
    scores, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == class_index
    bins = reliability(scores, is_right)
    before = at_temperature(probabilities, 1 / (temperature or 1.0)).max(axis=1)
    rows = (thresholds or thresholds_by(probabilities, class_index)).rows
    return {
        "temperature": temperature,
        "error": expected_calibration_error(bins),
        "error_before": expected_calibration_error(reliability(before, is_right)),
        "bins": [asdict(part) for part in bins],
        "thresholds": [asdict(row) for row in rows],
        "threshold_images": None if thresholds is None else thresholds.images,
    }


def confusion_matrix(truth: NDArray[np.integer], said: NDArray[np.integer], class_count: int) -> NDArray[np.int64]:
    """Count pictures by what they are (rows) and what was said of them (columns)."""
    matrix = np.zeros((class_count, class_count), np.int64)
    np.add.at(matrix, (truth, said), 1)
    return matrix


def _macro_f1(confusion: NDArray[np.integer]) -> float:
    """Return the mean F1 of the classes that have pictures."""
    right, support, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    present = support > 0
    return float((2 * right[present] / (support[present] + said[present])).mean())


def _per_class(confusion: NDArray[np.int64], labels: Sequence[Label]) -> list[dict[str, Any]]:
    rows = []
    for index, label in enumerate(labels):
        right, support, said = (
            int(number) for number in (confusion[index, index], confusion[index].sum(), confusion[:, index].sum())
        )
        rows.append(
            asdict(label)
            | {
                "precision": right / said if said else None,
                "recall": right / support if support else None,
                "f1": 2 * right / (support + said) if support + said else 0.0,
                "support": support,
            }
        )
    return rows
