"""How strongly a head on kept features is held back, and how sure it may be, by what it says of looks that it never saw.

All pictures but those of the test split are parted by look (`models.look_folds`); heads learn from all parts but one, and are
asked about that one. The L2 that does best there is taken, and the temperature that makes those answers mean what they say; they
also tell which scores to take for a wanted precision.
Plain numbers: imports no Keras.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.batches import class_weights
from models.calibration import Thresholds, at_temperature, fit_temperature, thresholds_by
from models.linear_probe import class_probabilities, fit_probe
from models.look_folds import FOLDS, folds_by_look

# Weights of L2 that are tried, from the strongest: what each finds is where the next begins.
GRID = (1e-1, 3e-2, 1e-2, 3e-3)
# From so many times as many pictures in the fullest label as in the emptiest, all labels are made to count the same.
_IMBALANCE = 3.0
# Pictures a label, on average, below which a fold is too much to go without.
_MIN_IMAGES_PER_LABEL = 2 * FOLDS
# Pictures x features x labels: what takes minutes is not tried, and the card's value is taken. 81 labels of 29 pictures and 1,280
# features are a quarter of it.
_MOST_WORK = 1e9
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Tried:
    """How a weight of L2 did on looks held out: the mean cross-entropy at its best temperature, and the right answers."""

    l2: float
    loss: float
    top1: float


@dataclass(frozen=True)
class HeadChoice:
    """How a head is to be trained.

    Attributes:
        l2: the weight that was chosen.
        has_class_weights: pictures of rare labels count more.
        temperature: what the logits of a head that was solved to the end with it are to be divided by.
        tried: what it was chosen among.
        thresholds: of its scores at that temperature; None: not known.
    """

    l2: float
    has_class_weights: bool
    temperature: float
    tried: Sequence[Tried]
    thresholds: Thresholds | None = None


def asks_for_weights(train_counts: Sequence[int]) -> bool:
    """Say whether some labels have so many more pictures than others that a head would leave the others out.

    Args:
        train_counts: training pictures by class index; labels without any do not count.
    """
    present = [count for count in train_counts if count]
    return bool(present) and max(present) >= _IMBALANCE * min(present)


def choose_head(
    features: NDArray[np.floating], class_index: NDArray[np.int32], class_count: int, *, seed: int
) -> HeadChoice | None:
    """Choose a head's regularisation and temperature: the L2 of the least loss on looks that were held out.

    Args:
        features: scaled features (n, d) of all pictures that may be learned from.
        class_index: (n,).

    Returns:
        None where there are too few pictures to tell, or trying would take many minutes.
    """
    if len(class_index) < _MIN_IMAGES_PER_LABEL * class_count or features.size * class_count > _MOST_WORK:
        return None
    has_class_weights = asks_for_weights(np.bincount(class_index, minlength=class_count).tolist())
    weight = class_weights(class_index, class_count) if has_class_weights else None
    said = np.zeros((len(GRID), len(class_index), class_count), np.float32)
    for is_held_out in _parts(folds_by_look(features, class_index, seed=seed)):
        seen, start = ~is_held_out, None
        for place, l2 in enumerate(GRID):
            part = None if weight is None else weight[seen]
            start = fit_probe(features[seen], class_index[seen], class_count, l2=l2, weight=part, start=start)
            said[place, is_held_out] = class_probabilities(start, features[is_held_out])
    temperatures = [fit_temperature(answers, class_index) or 1.0 for answers in said]
    cooled = [at_temperature(of, at) for of, at in zip(said, temperatures, strict=True)]
    tried = [_tried(l2, of, class_index) for l2, of in zip(GRID, cooled, strict=True)]
    best = min(range(len(GRID)), key=lambda at: tried[at].loss)
    return HeadChoice(GRID[best], has_class_weights, temperatures[best], tried, thresholds_by(cooled[best], class_index))


def solve_head(
    features: NDArray[np.floating],
    class_index: NDArray[np.int32],
    start: list[NDArray[np.float32]],
    choice: HeadChoice,
) -> list[NDArray[np.float32]]:
    """Solve a head to the end as it was chosen, and bring its scores in line.

    Args:
        features, class_index: as `choose_head` had them.
        start: kernel and bias to begin from.

    Returns:
        Kernel (d, classes) and bias, for features on the same scale.
    """
    class_count = len(start[1])
    weight = class_weights(class_index, class_count) if choice.has_class_weights else None
    solved = fit_probe(features, class_index, class_count, l2=choice.l2, weight=weight, start=start)
    return [part / np.float32(choice.temperature) for part in solved]


def _parts(folds: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
    """Yield (n,) masks, one for each fold that has pictures."""
    yield from (folds == fold for fold in np.unique(folds))


def _tried(l2: float, probabilities: NDArray[np.float32], class_index: NDArray[np.int32]) -> Tried:
    scores = probabilities[np.arange(len(class_index)), class_index].astype(np.float64)
    loss = float(-np.log(np.maximum(scores, _SMALLEST)).mean())
    return Tried(l2, loss, float((probabilities.argmax(axis=1) == class_index).mean()))
