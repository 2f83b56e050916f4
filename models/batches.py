"""Which pictures a step sees, and which of them are this worker's: plain numbers, the same for any number of workers.

Examples are dealt to lanes once, one lane for each row of a batch; in each epoch a lane shows its examples in a new order. A
worker has some of the lanes, and so sees the same share of the pictures in every epoch, and nobody else does. Every worker works
out the whole order by itself, from the seed and the number of the step: nothing that decides the outcome (order, weights of
examples, noise) depends on how many workers there are or on what was done before, and nobody has to be asked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

Rows = Callable[[NDArray[np.int64]], NDArray[np.generic]]

_ORDER_STREAM, _NOISE_STREAM, _DEAL_STREAM = 0, 1, 2


@dataclass(frozen=True)
class Examples:
    """What is learned from, or judged on.

    Attributes:
        rows: gives the inputs at some positions, all of one shape and dtype: features or pictures.
        class_index: (n,) int32, the truth.
        weight: (n,) float32, how much each counts; 1 unless classes are weighted.
        dealt_first: the first so many are dealt to lanes as if there were no others: whoever saw them before sees them again.
            None: all are dealt together.
    """

    rows: Rows
    class_index: NDArray[np.int32]
    weight: NDArray[np.float32]
    dealt_first: int | None = None

    def __len__(self) -> int:
        return len(self.class_index)


@dataclass(frozen=True)
class Batch:
    """One worker's rows of one step.

    Attributes:
        inputs: (rows, ...).
        class_index: (rows,) int32.
        weight: (rows,) float32; 0 for rows that only fill up the last batch of an epoch.
        noise: (rows, k) float32, uniform in 0..1.
        total_weight: of the whole step, over all workers.
    """

    inputs: NDArray[np.generic]
    class_index: NDArray[np.int32]
    weight: NDArray[np.float32]
    noise: NDArray[np.float32]
    total_weight: np.float32


def class_weights(class_index: NDArray[np.int32], class_count: int) -> NDArray[np.float32]:
    """Return a weight for each example, so that all classes together weigh the same, and examples 1 on average."""
    counts = np.bincount(class_index, minlength=class_count)
    return (len(class_index) / (np.count_nonzero(counts) * counts[class_index])).astype(np.float32)


def steps_per_epoch(example_count: int, global_batch: int) -> int:
    """Return how many steps show every example once."""
    return -(-example_count // global_batch)


def training_batches(
    examples: Examples, *, global_batch: int, seed: int, noise_width: int, rank: int, workers: int, first_step: int = 0
) -> Iterator[Batch]:
    """Yield a worker's rows of every step of every epoch, in an order of its own for each epoch; never ends.

    The last batch of an epoch is filled up with examples of its lanes, at weight 0: shapes stay the same, and what batch
    normalisation sees are pictures and not blanks.

    Args:
        first_step: how many steps to pass over, over all epochs.
    """
    lanes = _lanes(_dealt(examples, seed), global_batch)
    shown_in, order = -1, lanes
    for step in count(first_step):
        epoch, place = divmod(step, len(lanes))
        if epoch != shown_in:
            shown_in, order = epoch, _shuffled(lanes, np.random.default_rng((seed, _ORDER_STREAM, epoch)))
        noise = np.random.default_rng((seed, _NOISE_STREAM, epoch, place)).random((global_batch, noise_width), np.float32)
        yield _own_rows(examples, order, place, noise, rank, workers)


def own_positions(examples: Examples, *, seed: int | None, global_batch: int, rank: int, workers: int) -> NDArray[np.int64]:
    """Return which examples a worker sees, ascending.

    Args:
        seed: that they are learned from with; None: they are judged on.
    """
    lanes = _lanes(np.arange(len(examples)) if seed is None else _dealt(examples, seed), global_batch)
    own = lanes[:, _own_places(global_batch, rank, workers) % global_batch]
    return np.unique(own[own >= 0])


def validation_batches(examples: Examples, *, global_batch: int, rank: int, workers: int) -> Iterator[Batch]:
    """Yield a worker's rows of every batch of a split, in its own order, again and again; never ends."""
    lanes = _lanes(np.arange(len(examples)), global_batch)
    noise = np.zeros((global_batch, 0), np.float32)
    while True:
        for place in range(len(lanes)):
            yield _own_rows(examples, lanes, place, noise, rank, workers)


def _dealt(examples: Examples, seed: int) -> NDArray[np.int64]:
    random = np.random.default_rng((seed, _DEAL_STREAM))
    first = len(examples) if examples.dealt_first is None else examples.dealt_first
    return np.concatenate([random.permutation(first), first + random.permutation(len(examples) - first)])


def _own_places(lane_count: int, rank: int, workers: int) -> NDArray[np.int64]:
    """Return which rows of a batch are a worker's; where workers do not divide it, the last one has some beyond it."""
    rows_each = -(-lane_count // workers)
    return np.arange(rank * rows_each, (rank + 1) * rows_each)


def _lanes(dealt: NDArray[np.int64], global_batch: int) -> NDArray[np.int64]:
    """Deal positions out to lanes, (steps, global_batch). The last row may have places for nobody: -1."""
    lanes = np.full(steps_per_epoch(len(dealt), global_batch) * global_batch, -1)
    lanes[: len(dealt)] = dealt
    return lanes.reshape(-1, global_batch)


def _shuffled(lanes: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """Shuffle each lane by itself; what is for nobody stays last."""
    keys = random.random(lanes.shape)
    keys[lanes < 0] = 2.0
    return np.take_along_axis(lanes, keys.argsort(axis=0), axis=0)


def _own_rows(
    examples: Examples, order: NDArray[np.int64], place: int, noise: NDArray[np.float32], rank: int, workers: int
) -> Batch:
    """Return a worker's lanes of a row of `order`; beyond the batch's last lane, where workers do not divide it, they weigh 0."""
    lane_count = order.shape[1]
    own = _own_places(lane_count, rank, workers)
    lane = own % lane_count
    # An empty place shows its lane's first example; in an epoch of fewer examples than lanes some lanes have none of their own.
    filled = np.where(order[place] < 0, order[0], order[place])
    filled = np.where(filled < 0, order[0, 0], filled)
    weight = np.where(order[place] < 0, np.float32(0), examples.weight[filled])
    positions = filled[lane]
    return Batch(
        inputs=examples.rows(positions),
        class_index=examples.class_index[positions],
        weight=np.where(own < lane_count, weight[lane], np.float32(0)),
        noise=noise[lane],
        total_weight=weight.sum(dtype=np.float32),
    )
