"""How strongly a head on kept features is held back, chosen on the validation split. Plain numbers: imports no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.batches import class_weights
from models.calibration import MIN_IMAGES, at_temperature, fit_temperature
from models.linear_probe import class_probabilities, fit_probe

# Weights of L2 that are tried, from the weakest.
GRID = (3e-3, 1e-2, 3e-2, 1e-1)
# From so many times as many pictures in the fullest label as in the emptiest, all labels are made to count the same.
_IMBALANCE = 3.0
# Pictures x features x labels: what takes minutes is not tried, and the card's value is taken.
_MOST_WORK = 3e9
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Tried:
    """How a weight of L2 did on the validation split: the mean cross-entropy at its best temperature, and the right answers."""

    l2: float
    loss: float
    top1: float


@dataclass(frozen=True)
class HeadChoice:
    """How a head is to be trained.

    Attributes:
        l2: the weight that was chosen.
        has_class_weights: pictures of rare labels count more.
        tried: what it was chosen among.
    """

    l2: float
    has_class_weights: bool
    tried: Sequence[Tried]


def asks_for_weights(train_counts: Sequence[int]) -> bool:
    """Say whether some labels have so many more pictures than others that a head would leave the others out.

    Args:
        train_counts: training pictures by class index; labels without any do not count.
    """
    present = [count for count in train_counts if count]
    return bool(present) and max(present) >= _IMBALANCE * min(present)


def choose_head(
    training: tuple[NDArray[np.floating], NDArray[np.int32]],
    validation: tuple[NDArray[np.floating], NDArray[np.int32]],
    class_count: int,
) -> HeadChoice | None:
    """Choose a head's regularisation: the strongest whose loss is within a standard error of the least one.

    The rule is that of Breiman, Friedman, Olshen and Stone 1984. The least loss alone is often that of the weakest, since the
    pictures of both splits were taken in the same places; a head that is hardly held back does worse elsewhere.

    Args:
        training: scaled features (n, d) and class indices (n,).
        validation: the same of the validation split.

    Returns:
        None where there are too few validation pictures to tell, or trying would take many minutes.
    """
    features, class_index = training
    if len(validation[1]) < MIN_IMAGES or features.size * class_count > _MOST_WORK:
        return None
    has_class_weights = asks_for_weights(np.bincount(class_index, minlength=class_count).tolist())
    weight = class_weights(class_index, class_count) if has_class_weights else None
    tried, losses = [], []
    for l2 in GRID:
        said = class_probabilities(fit_probe(features, class_index, class_count, l2=l2, weight=weight), validation[0])
        temperature = fit_temperature(said, validation[1]) or 1.0
        scores = at_temperature(said, temperature)[np.arange(len(said)), validation[1]]
        losses.append(-np.log(np.maximum(scores.astype(np.float64), _SMALLEST)))
        tried.append(Tried(l2, float(losses[-1].mean()), float((said.argmax(axis=1) == validation[1]).mean())))
    best = min(range(len(tried)), key=lambda at: tried[at].loss)
    within = tried[best].loss + losses[best].std(ddof=1) / np.sqrt(len(losses[best]))
    chosen = max(one.l2 for one in tried if one.loss <= within)
    return HeadChoice(chosen, has_class_weights, tried)
