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
        validation_accuracy: top-1 of these weights where they are not the best epoch's own; None: that epoch's report has it.
        whole_weights: of a network that learned on from the validation split too, so that nothing can be said of that one by
            pictures it has not seen; None: it did not.
    """

    weights: list[NDArray[np.float32]]
    best_epoch: int
    reports: list[EpochReport]
    validation_accuracy: float | None = None
    whole_weights: list[NDArray[np.float32]] | None = None

    def top1(self) -> float:
        """Return the share of the validation split that these weights are right on; NaN where it is empty."""
        found = self.validation_accuracy
        return self.reports[self.best_epoch - 1].validation_accuracy if found is None else found


def mixed(
    first: list[NDArray[np.float32]], learned: list[NDArray[np.float32]], *, first_share: float
) -> list[NDArray[np.float32]]:
    """Return the mean of two states of a network."""
    share = np.float32(first_share)
    return [share * one + (1 - share) * other for one, other in zip(first, learned, strict=True)]
