"""Whether a classifier's scores are what they say: of the answers with a score of 0.8, are 80 % right? Plain numbers: no Keras.

Source: Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks": temperature scaling, and the expected
calibration error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A temperature is one number; still, a handful of pictures says too little of it.
MIN_IMAGES = 20
_TEMPERATURES = (0.1, 10.0)
# Of the logarithm of temperatures, about 0: it decides where all answers are right, whatever the temperature.
_USUAL_SPREAD = 1.0
_BINS = 10
_SMALLEST = 1e-12


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of about the same score. score: their mean, 0..1; accuracy: the share of right ones; count: how many."""

    score: float
    accuracy: float
    count: int


def fit_temperature(probabilities: NDArray[np.floating], class_index: NDArray[np.integer]) -> float | None:
    """Find the temperature at which scores fit best what is right: above 1 they were too bold, below 1 too timid.

    Args:
        probabilities: (n, classes), of pictures that the classifier did not learn from.
        class_index: (n,), the truth.

    Returns:
        The number that logits are to be divided by, 0.1..10; None for fewer than MIN_IMAGES pictures.
    """
    # Here, since loading it takes a second or two that every process which trains would pay for.
    from scipy.optimize import minimize_scalar

    if len(class_index) < MIN_IMAGES:
        return None
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    positions = np.arange(len(class_index))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        highest = scaled.max(axis=1)
        sums = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
        misfit = (sums - scaled[positions, class_index]).sum()
        return float(misfit + (log_temperature / _USUAL_SPREAD) ** 2 / 2)

    low, high = (float(np.log(bound)) for bound in _TEMPERATURES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def at_temperature(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float32]:
    """Return the probabilities (n, classes) that the same logits give at a temperature."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)) / temperature
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)


def reliability(scores: NDArray[np.floating], is_right: NDArray[np.bool_]) -> list[ReliabilityBin]:
    """Group answers into bins of about as many each, by score from the lowest.

    Args:
        scores: (n,) of the answers that were given, 0..1.
        is_right: (n,).
    """
    order = np.argsort(scores, kind="stable")
    return [
        ReliabilityBin(float(scores[part].mean()), float(is_right[part].mean()), len(part))
        for part in np.array_split(order, min(_BINS, len(order)))
        if len(part)
    ]


def expected_calibration_error(bins: list[ReliabilityBin]) -> float:
    """Return by how much score and accuracy differ, 0..1, on average over the answers."""
    counts = np.array([part.count for part in bins])
    gaps = np.array([abs(part.score - part.accuracy) for part in bins])
    return float((counts * gaps).sum() / counts.sum())


def threshold_for(precision: float, scores: NDArray[np.floating], is_right: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Find from which score on answers are right often enough.

    Args:
        precision: share of right answers that is wanted, 0..1.
        scores: (n,) of the answers that were given.
        is_right: (n,).

    Returns:
        The lowest such score, and the share of the answers that reach it; None: no score is high enough.
    """
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    precisions = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    # Answers of one score stand or fall together.
    is_last_of_score = np.append(sorted_scores[1:] != sorted_scores[:-1], True)
    enough = np.flatnonzero((precisions >= precision) & is_last_of_score)
    if not enough.size:
        return None
    last = int(enough[-1])
    return float(sorted_scores[last]), (last + 1) / len(order)
