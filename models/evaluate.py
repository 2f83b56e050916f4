"""How good a classifier is, on pictures that it never saw. Plain numbers: imports no Keras."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Standard deviations on either side of 95 % of a normal distribution.
_Z_95 = 1.959964
_TOP_K = 5


@dataclass(frozen=True)
class Label:
    """A class. Its place in a list of labels is the class index."""

    code: str
    name: str


def judge(
    probabilities: NDArray[np.floating], class_index: NDArray[np.integer], train_counts: Sequence[int], labels: Sequence[Label]
) -> dict[str, Any]:
    """Judge a classifier on its test split.

    Args:
        probabilities: (n, classes), n at least 1.
        class_index: (n,), the truth.
        train_counts: pictures of each class in the training split; the majority's is the baseline to beat.
        labels: by class index.

    Returns:
        JSON values: `test_top1`; `test_top1_interval` (95 %, Wilson); `test_top_k` and its `k`; `majority_top1`, what always
        saying the most frequent label of the training split would reach; `macro_f1`, the mean over the labels of the test split;
        `per_class`, by class index (precision is null where the class was never said, recall where the split has none);
        `confusion`, rows are the truth, columns what was said.
    """
    said = probabilities.argmax(axis=1)
    confusion = confusion_matrix(class_index, said, len(labels))
    k = min(_TOP_K, len(labels))
    best_k = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    right_count = int((said == class_index).sum())
    per_class = _per_class(confusion, labels)
    f1_of_present = [row["f1"] for row in per_class if row["support"]]
    return {
        "test_top1": right_count / len(class_index),
        "test_top1_interval": wilson_interval(right_count, len(class_index)),
        "test_top_k": float((best_k == class_index[:, None]).any(axis=1).mean()),
        "k": k,
        "majority_top1": float((class_index == int(np.argmax(train_counts))).mean()),
        "macro_f1": float(np.mean(f1_of_present)),
        "per_class": per_class,
        "confusion": confusion.tolist(),
    }


def confusion_matrix(truth: NDArray[np.integer], said: NDArray[np.integer], class_count: int) -> NDArray[np.int64]:
    """Count pictures by what they are (rows) and what was said of them (columns)."""
    matrix = np.zeros((class_count, class_count), np.int64)
    np.add.at(matrix, (truth, said), 1)
    return matrix


def wilson_interval(right_count: int, count: int) -> list[float]:
    """Return the interval that holds the true accuracy with 95 % confidence, when pictures are independent.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953. Unlike the normal approximation it is honest near 0 and 1 and for few
    pictures.
    """
    share = right_count / count
    spread = _Z_95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z_95 * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return [max(0.0, middle - half), min(1.0, middle + half)]


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
