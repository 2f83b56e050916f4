"""Folds by look: what is held out looks like a place that was never seen. Plain numbers: imports no Keras.

Pictures of one label were mostly taken in a few places, in bursts: a validation split that is drawn from them is much like the
training split, and a classifier that is judged on it seems surer than it is elsewhere. So each label's pictures are parted by
look (k-means, Lloyd 1982), and each part is held out in turn ("leave one cluster out").
"""

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
# Of each label's pictures, what `held_out_look` is to take, about, and more than which it never does.
_HELD_OUT_SHARE, _MOST_HELD_OUT = 0.1, 0.34
_ROUNDS = 20


def folds_by_look(features: NDArray[np.floating], class_index: NDArray[np.integer], *, seed: int) -> NDArray[np.int64]:
    """Give each picture a fold of 0..FOLDS - 1, the same to pictures of a label that look alike.

    Args:
        features: (n, d), on one scale.
        class_index: (n,).

    Returns:
        (n,); folds of a label need not be of one size, and a label with fewer pictures than folds is not in all of them.
    """
    random = np.random.default_rng(seed)
    folds = np.zeros(len(class_index), np.int64)
    for label in np.unique(class_index):
        own = np.flatnonzero(class_index == label)
        clusters = k_means(features[own].astype(np.float32), min(FOLDS, len(own)), random)
        folds[own] = random.permutation(FOLDS)[clusters]
    return folds


def held_out_look(features: NDArray[np.floating], class_index: NDArray[np.integer], *, seed: int) -> NDArray[np.bool_]:
    """Choose one look of each label to hold out, for what takes too long to be learned once for each fold.

    Args:
        features: (n, d), on one scale.
        class_index: (n,).

    Returns:
        (n,), true for about a tenth of each label's pictures; a label without a look of such a size has none.
    """
    random = np.random.default_rng(seed)
    is_held_out = np.zeros(len(class_index), np.bool_)
    for label in np.unique(class_index):
        own = np.flatnonzero(class_index == label)
        clusters = k_means(features[own].astype(np.float32), min(FOLDS, len(own)), random)
        sizes = np.bincount(clusters, minlength=FOLDS)
        fitting = np.flatnonzero((sizes > 0) & (sizes <= _MOST_HELD_OUT * len(own)))
        if fitting.size:
            nearest = fitting[np.abs(sizes[fitting] - _HELD_OUT_SHARE * len(own)).argmin()]
            is_held_out[own[clusters == nearest]] = True
    return is_held_out


def k_means(points: NDArray[np.float32], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return the cluster of each point (n, d), by k-means from points drawn at random; a cluster may be empty."""
    centres = points[random.choice(len(points), count, replace=False)]
    nearest = np.zeros(len(points), np.int64)
    for _ in range(_ROUNDS):
        # Squared distances, but for what is the same for all centres.
        distances = np.square(centres).sum(axis=1) - 2 * points @ centres.T
        before, nearest = nearest, distances.argmin(axis=1)
        if (before == nearest).all():
            break
        centres = np.stack([points[nearest == at].mean(axis=0) if (nearest == at).any() else centres[at] for at in range(count)])
    return nearest
