"""The state of a training in memory, between its steps; how it is resumed and kept is `models.checkpoint`'s."""

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.checkpoint import Arrays, Checkpoint
from models.training_outcome import EpochReport


@dataclass
class TrainingState:
    """Where a training is; fields as those of `Checkpoint`."""

    network: keras.Model
    optimizer: keras.optimizers.Optimizer
    step: int = 0
    epoch_sums: NDArray[np.float32] = field(default_factory=lambda: np.zeros(3, np.float32))
    best_weights: Arrays = field(init=False)
    best_epoch: int = 0
    best_loss: float = float("inf")
    reports: list[EpochReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.best_weights = self.network.get_weights()

    @property
    def memory(self) -> list[keras.Variable]:
        """What the optimizer remembers of each variable. It also counts steps: those are `step`."""
        return [variable for variable in self.optimizer.variables if variable is not self.optimizer.iterations]

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from there."""
        self.network.set_weights(checkpoint.weights)
        for variable, value in zip(self.memory, checkpoint.optimizer, strict=True):
            variable.assign(value)
        self.step, self.epoch_sums = checkpoint.step, checkpoint.epoch_sums.copy()
        self.best_weights, self.best_epoch, self.best_loss = checkpoint.best_weights, checkpoint.best_epoch, checkpoint.best_loss
        self.reports = list(checkpoint.reports)

    def end_epoch(self, report: EpochReport, *, is_best: bool) -> None:
        """Count the epoch as done, and keep its weights if it was the best."""
        self.reports.append(report)
        self.epoch_sums = np.zeros(3, np.float32)
        if is_best:
            self.best_weights, self.best_epoch, self.best_loss = self.network.get_weights(), report.epoch, report.validation_loss

    def checkpoint(self) -> Checkpoint:
        """Return a copy of it."""
        return Checkpoint(
            step=self.step,
            epoch_sums=self.epoch_sums.copy(),
            weights=self.network.get_weights(),
            optimizer=[np.asarray(ops.convert_to_numpy(variable.value)) for variable in self.memory],
            best_weights=self.best_weights,
            best_epoch=self.best_epoch,
            best_loss=self.best_loss,
            reports=list(self.reports),
        )
