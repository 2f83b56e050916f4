"""The state of a training under way, from which it goes on as if nothing had happened. Knows no TensorFlow."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.training_outcome import EpochReport

Arrays = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Checkpoint:
    """Where a training is, between two steps.

    Attributes:
        step: how many steps are done, over all epochs.
        epoch_sums: of the epoch under way, over its steps that are done: losses, right answers, weights.
        weights: in the order of the network's `get_weights`, of all workers alike.
        optimizer: what the optimizer remembers of each trained variable, in its own order, without the number of steps.
        best_weights: of the best epoch so far.
        best_epoch: 0 when none is done.
        best_loss: its loss on the validation split; infinite where there is none.
        reports: of the epochs that are done.
    """

    step: int
    epoch_sums: NDArray[np.float32]
    weights: Arrays
    optimizer: Arrays
    best_weights: Arrays
    best_epoch: int
    best_loss: float
    reports: list[EpochReport]

    def to_bytes(self) -> bytes:
        """Write it down as one file of numpy's form `.npz`, not compressed: weights hardly shrink."""
        lists = {"weights": self.weights, "optimizer": self.optimizer, "best": self.best_weights}
        arrays = {f"{name}/{at}": array for name, parts in lists.items() for at, array in enumerate(parts)}
        numbers = {
            "step": self.step,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "reports": [asdict(report) for report in self.reports],
            "lengths": {name: len(parts) for name, parts in lists.items()},
        }
        body = io.BytesIO()
        np.savez(body, allow_pickle=False, numbers=np.array(json.dumps(numbers)), epoch_sums=self.epoch_sums, **arrays)
        return body.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            numbers = json.loads(str(file["numbers"]))
            lists = {name: [file[f"{name}/{at}"] for at in range(length)] for name, length in numbers["lengths"].items()}
            return cls(
                step=numbers["step"],
                epoch_sums=file["epoch_sums"],
                weights=lists["weights"],
                optimizer=lists["optimizer"],
                best_weights=lists["best"],
                best_epoch=numbers["best_epoch"],
                best_loss=numbers["best_loss"],
                reports=[EpochReport(**report) for report in numbers["reports"]],
            )


@dataclass(frozen=True)
class Checkpoints:
    """How a training keeps its state, and where it begins. Worker 0's alone are used: the others are sent what they need.

    Attributes:
        latest: to go on from; None: begin anew.
        keep: stores one in the place of the one before, whole or not at all.
        every_s: seconds from one to the next. The end of an epoch is one too, unless `min_s` have not passed.
        min_s: seconds within which epochs may end without one: an epoch of that length is trained again sooner than kept.
    """

    latest: Checkpoint | None
    keep: Callable[[Checkpoint], None]
    every_s: float
    min_s: float
