"""Which answers of a classifier tell most about it, and what they can be traced to. Plain numbers: imports no Keras."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Of each map that is written down: enough for a picture of it, and short as JSON.
_LEVELS = 99


def as_levels(evidence: NDArray[np.floating]) -> list[list[int]]:
    """Return one label's map (rows, columns) in whole levels: 0 where nothing speaks for it, 99 where most does."""
    for_it = np.maximum(np.asarray(evidence, np.float64), 0)
    levels: list[list[int]] = (for_it / max(for_it.max(), np.finfo(np.float64).tiny) * _LEVELS).round().astype(int).tolist()
    return levels


def telling_wrong(probabilities: NDArray[np.floating], class_index: NDArray[np.integer], *, limit: int) -> list[int]:
    """Return which wrong answers tell most: the surest ones, one for each pair of what is right and what was said.

    Args:
        probabilities: (n, classes).
        class_index: (n,), the truth.
    """
    said, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    found: dict[tuple[int, int], int] = {}
    for at in np.argsort(-scores, kind="stable"):
        if said[at] != class_index[at]:
            found.setdefault((int(class_index[at]), int(said[at])), int(at))
    return list(found.values())[:limit]


def telling_right(probabilities: NDArray[np.floating], class_index: NDArray[np.integer], *, limit: int) -> list[int]:
    """Return some right answers, from the surest to the least sure, at even steps between."""
    right = np.flatnonzero(probabilities.argmax(axis=1) == class_index)
    ordered = right[np.argsort(-probabilities[right].max(axis=1), kind="stable")]
    return [int(at) for at in ordered[at_even_steps(len(ordered), limit)]]


def at_even_steps(count: int, limit: int) -> NDArray[np.int64]:
    """Return up to `limit` places among `count`, from the first to the last, at even steps."""
    return np.unique(np.linspace(0, count - 1, min(limit, count)).round().astype(np.int64))


def nearest(features: NDArray[np.floating], known: NDArray[np.floating], *, limit: int) -> Sequence[Sequence[int]]:
    """Return which known pictures look most like each picture to a network, by the angle between their features.

    Args:
        features: (n, d), centred.
        known: (m, d), likewise.

    Returns:
        For each of the n, up to `limit` places in `known`, the nearest first.
    """
    similarity = unit_length(features) @ unit_length(known).T
    nearest_first: list[list[int]] = np.argsort(-similarity, axis=1, kind="stable")[:, :limit].tolist()
    return nearest_first


def unit_length(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return features (n, d) as float32 of length 1; those that are all 0 stay so."""
    wide = np.asarray(features, np.float32)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), np.finfo(np.float32).tiny), np.float32)
