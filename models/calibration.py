"""Whether a classifier's scores are what they say: of the answers with a score of 0.8, are 80 % right? Plain numbers: no Keras.

Sources: Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks": temperature scaling, and the expected
calibration error. Lavenberg and Welch 1981, "A perspective on the use of control variables to increase the efficiency of Monte
Carlo simulations": what is known of few pictures, corrected by something that is known of these and of many more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A temperature is one number; still, a handful of pictures says too little of it.
MIN_IMAGES = 20
_TEMPERATURES = (0.1, 10.0)
# Of the logarithm of temperatures, about 0: it decides where all answers are right, whatever the temperature.
_USUAL_SPREAD = 1.0
_BINS = 10
# Shares of right answers for which the score is named from which on answers are as good.
_PRECISIONS = (0.8, 0.9, 0.95, 0.99)
_SMALLEST = 1e-12


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of about the same score. score: their mean, 0..1; accuracy: the share of right ones; count: how many."""

    score: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class Threshold:
    """From which score on answers are right as often as wanted, and the share of answers that reach it; both None: from none."""

    precision: float
    score: float | None
    share: float | None


@dataclass(frozen=True)
class Thresholds:
    """Scores to take for some wanted precisions, and how many pictures, held out by look, say so."""

    rows: Sequence[Threshold]
    images: int


def fit_temperature(
    probabilities: NDArray[np.floating], class_index: NDArray[np.integer], *, beside: NDArray[np.floating] | None = None
) -> float | None:
    """Find the temperature at which scores fit best what is right: above 1 they were too bold, below 1 too timid.

    Args:
        probabilities: (n, classes), of pictures that the classifier did not learn from.
        class_index: (n,), the truth.
        beside: (n, classes), what another classifier says of the same pictures, which it did not learn from either, and whose
            scores are in line on many more. Where they are not on these, the pictures are easier or harder than others, which
            the classifier's own scores then show too; as far as they do, it is left out. None: nothing is known of that.

    Returns:
        The number that logits are to be divided by, 0.1..10; None for fewer than MIN_IMAGES pictures.
    """
    # Here, since loading it takes a second or two that every process which trains would pay for.
    from scipy.optimize import minimize_scalar

    if len(class_index) < MIN_IMAGES:
        return None
    logits = _logits(probabilities)

    def fitted(slope: float) -> float:
        """Return the logarithm of the temperature at which the sum of losses rises by so much."""

        def loss(log_temperature: float) -> float:
            misfit = _losses_and_slopes(logits, class_index, log_temperature)[0].sum()
            return float(misfit - slope * log_temperature + (log_temperature / _USUAL_SPREAD) ** 2 / 2)

        low, high = (float(np.log(bound)) for bound in _TEMPERATURES)
        return float(minimize_scalar(loss, bounds=(low, high), method="bounded").x)

    found = fitted(0.0)
    if beside is not None:
        _, own = _losses_and_slopes(logits, class_index, found)
        _, known = _losses_and_slopes(_logits(beside), class_index, 0.0)
        common = float(((own - own.mean()) * (known - known.mean())).mean())
        # Of pictures that the other one is sure of next to nothing can be said, and a regression would say much.
        share = min(max(common, 0.0) / max(float(known.var()), _SMALLEST), 1.0)
        found = fitted(share * float(known.sum()))
    return float(np.exp(found))


def _logits(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))


def _losses_and_slopes(
    logits: NDArray[np.float64], class_index: NDArray[np.integer], log_temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each picture's cross-entropy (n,) at a temperature, and how it grows with the temperature's logarithm (n,)."""
    scaled = logits / np.exp(log_temperature)
    highest = scaled.max(axis=1, keepdims=True)
    odds = np.exp(scaled - highest)
    sums = odds.sum(axis=1)
    true = scaled[np.arange(len(class_index)), class_index]
    return highest[:, 0] + np.log(sums) - true, true - (odds * scaled).sum(axis=1) / sums


def at_temperature(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float32]:
    """Return the probabilities (n, classes) that the same logits give at a temperature."""
    logits = _logits(probabilities) / temperature
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


def thresholds_by(probabilities: NDArray[np.floating], class_index: NDArray[np.integer]) -> Thresholds:
    """Name the scores to take by what a classifier says, (n, classes), of pictures that it did not learn from."""
    scores, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == class_index
    found = [(precision, threshold_for(precision, scores, is_right) or (None, None)) for precision in _PRECISIONS]
    return Thresholds([Threshold(precision, score, share) for precision, (score, share) in found], len(class_index))


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
