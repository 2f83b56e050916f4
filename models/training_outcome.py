"""What comes of training. Knows no TensorFlow: a process that only hands it on is spared the many seconds of loading that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class AddressTakenError(Exception):
    """This worker's address was taken by another process before TensorFlow could listen there. Try again with new ones."""


@dataclass(frozen=True)
class EpochReport:
    """How an epoch went. Losses are mean cross-entropies, accuracies are top-1, 0..1; NaN where there is no validation split."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Trained:
    """What came of it.

    Attributes:
        weights: of the best epoch, in the order of the network's `get_weights`.
        best_epoch: from 1.
        reports: of every epoch that was run.
    """

    weights: list[NDArray[np.float32]]
    best_epoch: int
    reports: list[EpochReport]
