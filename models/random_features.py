"""What a head makes of features that nothing was learnt for: the floor that a pretrained network has to beat.

The features are random ones (Rahimi & Recht 2007, "Random Features for Large-Scale Kernel Machines") of each picture's coarse
grey levels. They know light and layout, no shapes and no colours. Where they do well, the labels can be told apart by how the
pictures were taken, and a good score of the network says less than it seems to. Plain numbers: no Keras.
"""

import numpy as np
from numpy.typing import NDArray

from models.linear_probe import fit_probe

_FEATURES = 256
_L2 = 1e-2
# Pictures x features x labels: 492 pictures of 81 labels are a sixth of it, and took 5 s of a processor.
_MOST_WORK = 6e7


def random_features_top1(
    train: tuple[NDArray[np.uint8], NDArray[np.integer]],
    test: tuple[NDArray[np.uint8], NDArray[np.integer]],
    class_count: int,
    *,
    seed: int,
) -> float | None:
    """Return the share of right answers of a linear head on random features; None where that would take minutes.

    Args:
        train: grey levels (n, d) and class indices (n,).
        test: the same of the test split.
    """
    levels, class_index = train
    if not len(levels) or len(levels) * _FEATURES * class_count > _MOST_WORK:
        return None
    random = np.random.default_rng(seed)
    weights = random.normal(0, 1, (levels.shape[1], _FEATURES)) / np.sqrt(levels.shape[1])
    bias = random.normal(0, 1, _FEATURES)
    mean, spread = levels.mean(axis=0), levels.std() or 1.0

    def features_of(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(np.maximum((rows - mean) / spread @ weights + bias, 0), np.float32)

    features = features_of(levels)
    centre, width = features.mean(axis=0), features.std(axis=0) + 1e-6
    kernel, offset = fit_probe((features - centre) / width, class_index, class_count, l2=_L2)
    said = ((features_of(test[0]) - centre) / width @ kernel + offset).argmax(axis=1)
    return float((said == test[1]).mean())
