"""How accuracy grows with pictures, and how many more of them a label needs. Plain numbers: no Keras.

The error of a classifier falls with the number of its training pictures about like a power law (Hestness et al. 2017, "Deep
Learning Scaling is Predictable, Empirically"). Three numbers are fitted to what was measured on parts of the training split.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from models.intervals import redrawn
from models.linear_probe import fit_probe

# Exponents that were found elsewhere lie between; with so few points the fit needs to be told.
_EXPONENTS = (0.05, 1.0)
_USUAL_EXPONENT, _EXPONENT_SPREAD = 0.5, 0.25
# Nobody should be sent for more than so many times what is there: too far to foresee.
_FORESEEN = 20.0
# Shares of the training split that are measured; small parts twice, since which pictures they hold matters more.
_SHARES = (0.125, 0.177, 0.25, 0.354, 0.5, 0.707, 1.0)
_REPEATS = 2
_L2 = 1e-2
# Pictures x features x labels: 81 labels of 33 pictures and 1,280 features are a tenth of it, and take a quarter of a minute.
_MOST_WORK = 3e9
# What a step of the solver costs besides, in its own numbers of features x labels, is as if there were so many pictures more.
_SOLVERS_IMAGES = 4_000
# Fewer test pictures place the points of a curve too loosely to look along it.
_MIN_TEST_IMAGES = 50
# How often the fit is repeated on other test pictures, and how many pictures the average of all labels counts as.
_DRAWS = 100
_PRIOR_IMAGES = 4.0
_GOALS = (0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class LearningCurve:
    """The error is `floor + scale * images ** -exponent`, where `images` is how many training pictures a label has on average."""

    floor: float
    scale: float
    exponent: float

    def accuracy_at(self, images: float) -> float:
        """Return the accuracy that so many training pictures a label are expected to give, 0..1."""
        return float(np.clip(1.0 - self.floor - self.scale * images**-self.exponent, 0.0, 1.0))

    def images_for(self, accuracy: float) -> float:
        """Return how many training pictures a label are expected to give an accuracy; infinite where none do."""
        error = 1.0 - accuracy - self.floor
        return float((self.scale / error) ** (1.0 / self.exponent)) if error > 0 else float("inf")


def fit_curve(images: Sequence[float], accuracies: Sequence[float], counts: Sequence[int]) -> LearningCurve:
    """Fit a curve through what was measured.

    Args:
        images: training pictures a label, above 0.
        accuracies: what they gave, 0..1.
        counts: test pictures behind each: how firmly it stands.
    """
    sizes, errors = np.array(images, np.float64), 1.0 - np.array(accuracies, np.float64)
    spreads = np.sqrt(np.maximum(errors * (1 - errors), 0.01) / np.array(counts))
    largest = sizes.max()

    def misfit(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        floor, last, exponent = parameters
        found = (floor + last * (sizes / largest) ** -exponent - errors) / spreads
        return np.append(found, (exponent - _USUAL_EXPONENT) / _EXPONENT_SPREAD)

    last_error = max(float(errors[sizes.argmax()]), 1e-3)
    bounds = ([0.0, 0.0, _EXPONENTS[0]], [1.0, 1.0, _EXPONENTS[1]])
    solved = least_squares(misfit, [last_error / 4, last_error * 3 / 4, _USUAL_EXPONENT], bounds=bounds)
    floor, last, exponent = (float(value) for value in solved.x)
    return LearningCurve(floor, last * float(largest) ** exponent, exponent)


@dataclass(frozen=True)
class Measurement:
    """How a classifier did that was trained on a part of the training split.

    Attributes:
        images: training pictures a label, on average.
        is_right: (n,) which test pictures it was right on.
    """

    images: float
    is_right: NDArray[np.bool_]


@dataclass(frozen=True)
class Need:
    """How many more training pictures of a label are expected to bring its accuracy to the goal.

    Attributes:
        likely: more pictures, 0 where it is there already; None: more than can be foreseen.
        low, high: an interval that holds the number in four of five cases; None as above.
    """

    low: int | None
    likely: int | None
    high: int | None


def learning_curve(
    training: tuple[NDArray[np.floating], NDArray[np.integer]],
    test: tuple[NDArray[np.floating], NDArray[np.integer]],
    train_counts: Sequence[int],
    *,
    groups: NDArray[np.integer],
    seed: int,
) -> dict[str, Any] | None:
    """Measure a classifier of features on parts of its training split, and look ahead.

    Args:
        training: scaled features (n, d) and class indices (n,).
        test: the same of the test split.
        train_counts: training pictures by class index.
        groups: (n,) of the test split, as in `models.evaluate.HeldOut`.

    Returns:
        JSON values: `points` of `images` a label and `accuracy`; `train_counts` as given; the fitted `floor`, `scale` and
        `exponent` (`LearningCurve`); `twice`, the accuracy expected of twice the pictures, and `twice_interval` (80 %); `goals`,
        for each `accuracy` above what was reached the `needs` by class index (`Need`). None where there are too few test
        pictures, or measuring it would take many minutes.
    """
    measured = measure_parts(training, test, len(train_counts), seed=seed)
    if not measured:
        return None
    curve, images = curve_of(measured), measured[-1].images
    curves = _curves_of_other_splits(measured, groups, seed=seed)
    twice = [one.accuracy_at(2 * images) for one in curves]
    return {
        "points": [{"images": one.images, "accuracy": float(one.is_right.mean())} for one in measured],
        "train_counts": list(train_counts),
        **asdict(curve),
        "twice": curve.accuracy_at(2 * images),
        "twice_interval": [float(bound) for bound in np.quantile(twice, (0.1, 0.9))],
        "goals": [
            {
                "accuracy": goal,
                "needs": [asdict(need) for need in needs(measured, curves, test[1], train_counts, accuracy=goal, seed=seed)],
            }
            for goal in _GOALS
            if goal > measured[-1].is_right.mean()
        ],
    }


def measure_parts(
    training: tuple[NDArray[np.floating], NDArray[np.integer]],
    test: tuple[NDArray[np.floating], NDArray[np.integer]],
    class_count: int,
    *,
    seed: int,
) -> list[Measurement]:
    """Train on ever larger parts of the training split, each label cut alike, and look at the test split.

    Args:
        training: scaled features (n, d) and class indices (n,).
        test: the same of the test split.

    Returns:
        By size, the whole split last; nothing where there are too few test pictures, or it would take many minutes.
    """
    features, class_index = training
    image_count, feature_count = features.shape
    work = (image_count + _SOLVERS_IMAGES) * feature_count * class_count
    if len(test[1]) < _MIN_TEST_IMAGES or work > _MOST_WORK:
        return []
    random = np.random.default_rng(seed)
    shares = [share for share in _SHARES for _ in range(1 if share == 1 else _REPEATS)]
    measured = []
    for share in shares:
        chosen = _part(class_index, share, random)
        kernel, bias = fit_probe(features[chosen], class_index[chosen], class_count, l2=_L2)
        said = (test[0] @ kernel + bias).argmax(axis=1)
        measured.append(Measurement(len(chosen) / class_count, said == test[1]))
    return measured


def _part(class_index: NDArray[np.integer], share: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Choose a share of each class's examples, at least one of each that has any."""
    kept = []
    for number in np.unique(class_index):
        own = random.permutation(np.flatnonzero(class_index == number))
        kept.append(own[: max(1, round(len(own) * share))])
    return np.concatenate(kept)


def _curves_of_other_splits(measured: Sequence[Measurement], groups: NDArray[np.integer], *, seed: int) -> list[LearningCurve]:
    """Fit the curve again and again to groups of test pictures and to measurements, both drawn anew: how far it may be off."""
    random = np.random.default_rng(seed)
    count = len(measured)
    return [
        curve_of([measured[at] for at in random.integers(0, count, count)], chosen)
        for chosen in redrawn(groups, times=_DRAWS, seed=seed)
    ]


def curve_of(measured: Sequence[Measurement], test_positions: NDArray[np.integer] | None = None) -> LearningCurve:
    """Fit a curve through measurements, on some of the test pictures (all: None)."""
    rights = [one.is_right if test_positions is None else one.is_right[test_positions] for one in measured]
    return fit_curve(
        [one.images for one in measured], [float(right.mean()) for right in rights], [len(right) for right in rights]
    )


def needs(
    measured: Sequence[Measurement],
    curves: Sequence[LearningCurve],
    test_class: NDArray[np.integer],
    train_counts: Sequence[int],
    *,
    accuracy: float,
    seed: int,
) -> list[Need]:
    """Say for each label how many more training pictures are expected to bring it to where a goal's share of it is found.

    A label has few test pictures, so that its own share says little: it is drawn towards that of all labels, the more the fewer
    it has, and its error is taken to fall like the error of all.

    Args:
        measured: the whole training split last.
        curves: that the error may follow.
        test_class: (n,) class indices of the test split.
        train_counts: training pictures by class index.
        accuracy: the goal, 0..1.
    """
    random = np.random.default_rng(seed)
    found = measured[-1].is_right
    supports = np.bincount(test_class, minlength=len(train_counts))
    misses = np.bincount(test_class[~found], minlength=len(train_counts))
    draws = []
    for curve in curves:
        pooled = max(1.0 - curve.accuracy_at(measured[-1].images), 1e-3)
        errors = random.beta(pooled * _PRIOR_IMAGES + misses, (1 - pooled) * _PRIOR_IMAGES + supports - misses)
        draws.append(
            [
                _more(curve, pooled, float(error), count, measured[-1].images, accuracy)
                for error, count in zip(errors, train_counts, strict=True)
            ]
        )
    low, likely, high = np.quantile(np.array(draws), (0.1, 0.5, 0.9), axis=0, method="nearest")
    return [
        Need(*(int(number) if np.isfinite(number) else None for number in label)) for label in zip(low, likely, high, strict=True)
    ]


def _more(curve: LearningCurve, pooled: float, error: float, count: int, images: float, accuracy: float) -> float:
    """Return how many more pictures take a label from an error to the goal, if its error falls in the curve's shape."""
    ratio = error / pooled
    own = LearningCurve(curve.floor * ratio, curve.scale * ratio * (max(count, 1) / images) ** curve.exponent, curve.exponent)
    more = max(0.0, np.ceil(own.images_for(accuracy) - count))
    return float(more) if more <= _FORESEEN * max(count, 1) else float("inf")
