"""Which pictures a step sees, and which of them are this worker's: plain numbers, the same for any number of workers.

Every worker works out the whole order by itself, from the seed, and takes its rows of each batch. So nothing that decides the
outcome (order, weights of examples, noise) depends on how many workers there are, and nobody has to be asked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = Callable[[NDArray[np.int64]], NDArray[np.generic]]

_ORDER_STREAM, _NOISE_STREAM = 0, 1


@dataclass(frozen=True)
class Examples:
    """What is learned from, or judged on.

    Attributes:
        rows: gives the inputs at some positions, all of one shape and dtype: features or pictures.
        class_index: (n,) int32, the truth.
        weight: (n,) float32, how much each counts; 1 unless classes are weighted.
    """

    rows: Rows
    class_index: NDArray[np.int32]
    weight: NDArray[np.float32]

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
    examples: Examples, *, global_batch: int, seed: int, noise_width: int, rank: int, workers: int
) -> Iterator[Batch]:
    """Yield a worker's rows of every step of every epoch, in an order of its own for each epoch; never ends.

    The last batch of an epoch is filled up with its first examples, at weight 0: shapes stay the same, and what batch
    normalisation sees are pictures and not blanks.
    """
    epoch = 0
    while True:
        order = np.random.default_rng((seed, _ORDER_STREAM, epoch)).permutation(len(examples))
        noise_of_epoch = np.random.default_rng((seed, _NOISE_STREAM, epoch))
        for start in range(0, len(order), global_batch):
            noise = noise_of_epoch.random((global_batch, noise_width), np.float32)
            yield _own_rows(examples, order, start, global_batch, noise, rank, workers)
        epoch += 1


def validation_batches(examples: Examples, *, global_batch: int, rank: int, workers: int) -> Iterator[Batch]:
    """Yield a worker's rows of every batch of a split, in its own order, again and again; never ends."""
    order = np.arange(len(examples))
    noise = np.zeros((global_batch, 0), np.float32)
    while True:
        for start in range(0, len(order), global_batch):
            yield _own_rows(examples, order, start, global_batch, noise, rank, workers)


def _own_rows(
    examples: Examples,
    order: NDArray[np.int64],
    start: int,
    global_batch: int,
    noise: NDArray[np.float32],
    rank: int,
    workers: int,
) -> Batch:
    rows_each = -(-global_batch // workers)
    places = np.arange(start, start + rows_each * workers)
    is_counted = places < min(start + global_batch, len(order))
    positions = order[places % len(order)]
    weight = np.where(is_counted, examples.weight[positions], np.float32(0))
    own = slice(rank * rows_each, (rank + 1) * rows_each)
    filled_noise = np.zeros((rows_each * workers, noise.shape[1]), np.float32)
    filled_noise[:global_batch] = noise
    return Batch(
        inputs=examples.rows(positions[own]),
        class_index=examples.class_index[positions[own]],
        weight=weight[own],
        noise=filled_noise[own],
        total_weight=weight.sum(dtype=np.float32),
    )
