"""What a model has learned the looks of, so that it can answer "none of these". Plain numbers: imports no Keras.

Each label's pictures are parted by look, and the mean of each part is kept. A picture is as near to what is known as the cosine
between its features and the nearest mean. Below a threshold that most known pictures reach, it is taken for none of the labels.
That tells things of another kind; what looks much like a known label, and is none, mostly passes (docs/experiments.md).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.examples import unit_length
from models.look_folds import FOLDS, folds_by_look, k_means

# Means of looks that are kept of a label, at most.
LOOKS = FOLDS
# Pictures of a label that its looks are taken from, at most: more take minutes and hardly move a mean.
_MOST_IMAGES_PER_LABEL = 100
# Share of known pictures that is to fall short of the threshold.
_MISSED_SHARE = 0.05
# Pictures below which that share is not measured.
_FEWEST_IMAGES = 20
_CHUNK = 4096


@dataclass(frozen=True)
class KnownLooks:
    """The looks of what a model learned from, and how near to one a picture must come.

    Attributes:
        means: (k, d) float32 of unit length.
        threshold: of the cosine; `1 - _MISSED_SHARE` of known pictures that had no part in the means reach it.
        rests_on: those pictures: looks held out one after another, or the validation split.
        images: how many they were.
    """

    means: NDArray[np.float32]
    threshold: float
    rests_on: Literal["held_out_looks", "validation"]
    images: int

    def share_that_passes(self, features: NDArray[np.floating]) -> float | None:
        """Return the share of pictures, by their features (n, d), that reach the threshold; None of no picture."""
        return float((nearest_known(features, self.means) >= self.threshold).mean()) if len(features) else None


def known_looks(
    features: NDArray[np.floating],
    class_index: NDArray[np.integer],
    *,
    validation: NDArray[np.floating] | None = None,
    seed: int,
) -> KnownLooks | None:
    """Keep the looks of what was learned from, and set the threshold.

    Args:
        features: (n, d), as the network gives them.
        class_index: (n,).
        validation: (m, d) of the validation split, to set the threshold on: where the network itself learned from the pictures of
            `features`, holding some of their looks out would not make them unknown to it.

    Returns:
        None where there are too few pictures to set a threshold on.
    """
    learned, labels, means, random = _learned(features, class_index, seed)
    if validation is None:
        scores = _of_held_out_looks(learned, labels, random, seed)
    else:
        scores = nearest_known(validation, means)
    if len(scores) < _FEWEST_IMAGES:
        return None
    rests_on: Literal["held_out_looks", "validation"] = "held_out_looks" if validation is None else "validation"
    return KnownLooks(means, float(np.quantile(scores, _MISSED_SHARE)), rests_on, len(scores))


def looks_of(features: NDArray[np.floating], class_index: NDArray[np.integer], *, seed: int) -> NDArray[np.float32]:
    """Return the means that `known_looks` keeps of the same arguments."""
    return _learned(features, class_index, seed)[2]


def nearest_known(features: NDArray[np.floating], means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine between each picture's features (n, d) and the nearest mean, (n,)."""
    chunks = [(unit_length(features[at : at + _CHUNK]) @ means.T).max(axis=1) for at in range(0, len(features), _CHUNK)]
    return np.concatenate([np.zeros(0, np.float32), *chunks])


def _learned(
    features: NDArray[np.floating], class_index: NDArray[np.integer], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.integer], NDArray[np.float32], np.random.Generator]:
    """Return the pictures that looks are taken from, their labels, the means, and what is left to draw from."""
    random = np.random.default_rng(seed)
    chosen = _some_of_each(class_index, random)
    learned, labels = unit_length(features[chosen]), class_index[chosen]
    return learned, labels, _means(learned, labels, random), random


def _of_held_out_looks(
    learned: NDArray[np.float32], labels: NDArray[np.integer], random: np.random.Generator, seed: int
) -> NDArray[np.float32]:
    """Return how near each picture comes to the looks of the others, its own having been left out."""
    folds = folds_by_look(learned, labels, seed=seed)
    scores = [np.zeros(0, np.float32)]
    for fold in np.unique(folds):
        seen = folds != fold
        if seen.any():
            scores.append(nearest_known(learned[~seen], _means(learned[seen], labels[seen], random)))
    return np.concatenate(scores)


def _means(learned: NDArray[np.float32], labels: NDArray[np.integer], random: np.random.Generator) -> NDArray[np.float32]:
    means = []
    for label in np.unique(labels):
        own = learned[labels == label]
        part = k_means(own, min(LOOKS, len(own)), random)
        means += [own[part == at].mean(axis=0) for at in np.unique(part)]
    return unit_length(np.stack(means))


def _some_of_each(class_index: NDArray[np.integer], random: np.random.Generator) -> NDArray[np.int64]:
    shuffled = (random.permutation(np.flatnonzero(class_index == label)) for label in np.unique(class_index))
    return np.sort(np.concatenate([own[:_MOST_IMAGES_PER_LABEL] for own in shuffled]))
