"""Train a network synchronously on one or several workers: our own loop, since Keras 3's `fit` fails under this strategy.

Every worker runs `train` with the same arguments but its rank. They hold the same weights at all times: each computes the
gradients of its rows of a batch, TensorFlow sums them over the workers, and all take the same step. One worker and several come
to the same weights to rounding, where the workers divide the batch, and groups of `ghost_batch_norm` their shares of it
(docs/experiments.md). This module is TensorFlow's, because of `tf.distribute`.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.batches import Batch, Examples, steps_per_epoch, training_batches, validation_batches
from models.training_config import TrainingConfig
from models.training_outcome import AddressTakenError, EpochReport, Trained

Distort = Callable[[Any, Any], Any]

_PREPARED_BATCHES = 2


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Attributes:
        build: builds the network, giving logits, with random weights.
        training: what is learned from.
        validation: what decides when to stop; may be empty, then all epochs are run.
        distort: applied to inputs with noise before each step; never to validation.
        noise_width: random numbers that `distort` takes for one example.
    """

    build: Callable[[], keras.Model]
    training: Examples
    validation: Examples
    distort: Distort
    noise_width: int


def train(
    task: Task,
    config: TrainingConfig,
    *,
    rank: int = 0,
    addresses: Sequence[str] = (),
    on_epoch: Callable[[EpochReport], None] = lambda _report: None,
) -> Trained:
    """Train until the validation loss stops falling.

    Must be the first use of TensorFlow in its process when there are several workers.

    Args:
        rank: which worker this is, from 0.
        addresses: of all workers by rank, `host:port`; empty: this worker is alone.
        on_epoch: called after each epoch by rank 0 alone; what it raises ends the training.

    Raises:
        AddressTakenError: see there.
    """
    workers = max(1, len(addresses))
    strategy = _join(rank, addresses)
    step_count = steps_per_epoch(len(task.training), config.global_batch)
    keras.utils.set_random_seed(config.seed)
    network = task.build()
    optimizer = _optimizer(config, step_count=config.epochs * step_count)
    optimizer.build(network.trainable_variables)
    # Seeds give all workers the same weights; machines of different kinds may round them differently.
    _averaging(strategy, network.variables)()
    average_statistics = _averaging(strategy, network.non_trainable_variables)
    train_step = _train_step(strategy, network, optimizer, task.distort, l2=config.l2 / workers)
    validation_step = _validation_step(strategy, network)
    share = {"global_batch": config.global_batch, "rank": rank, "workers": workers}
    training_steps = training_batches(task.training, seed=config.seed, noise_width=task.noise_width, **share)
    validation_steps = validation_batches(task.validation, **share)
    validation_step_count = steps_per_epoch(len(task.validation), config.global_batch)
    has_validation = validation_step_count > 0

    best_weights, best_epoch, best_loss = network.get_weights(), 0, float("inf")
    reports: list[EpochReport] = []
    with _prepared(training_steps) as training, _prepared(validation_steps) as validation:
        for epoch in range(1, config.epochs + 1):
            sums = sum(train_step(next(training)).numpy() for _ in range(step_count))
            average_statistics()
            validation_sums = np.full(3, np.nan)
            if has_validation:
                validation_sums = sum(validation_step(next(validation)).numpy() for _ in range(validation_step_count))
            report = EpochReport(epoch, config.epochs, *_means(sums), *_means(validation_sums))
            reports.append(report)
            if rank == 0:
                on_epoch(report)
            # The sums are over all workers, the same numbers everywhere: all workers decide the same.
            if not has_validation or report.validation_loss < best_loss:
                best_weights, best_epoch, best_loss = network.get_weights(), epoch, report.validation_loss
            elif epoch - best_epoch >= config.patience:
                break
    return Trained(best_weights, best_epoch, reports)


def _join(rank: int, addresses: Sequence[str]) -> tf.distribute.Strategy:
    """Meet the other workers; returns when all are there. A worker is one replica: of several GPUs it sees the first."""
    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[:1], "GPU")
    if len(addresses) > 1:
        cluster = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": rank}}
        os.environ["TF_CONFIG"] = json.dumps(cluster)
    else:
        os.environ.pop("TF_CONFIG", None)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.UnknownError, tf.errors.InternalError) as error:
        if "server" not in str(error).lower():
            raise
        raise AddressTakenError(f"TensorFlow could not listen on {addresses[rank]}: {error.message}") from error


def _optimizer(config: TrainingConfig, *, step_count: int) -> keras.optimizers.Optimizer:
    """The learning rate rises for a tenth of the steps, then falls to nothing along a cosine."""
    schedule = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 10, step_count, warmup_target=config.learning_rate, warmup_steps=max(1, step_count // 10)
    )
    return keras.optimizers.Adam(schedule, epsilon=config.epsilon)


@contextmanager
def _prepared(batches: Iterator[Batch]) -> Iterator[Iterator[Any]]:
    """Prepare this worker's batches ahead, in another thread, for as long as the block lasts.

    A dataset of `tf.data` would do the same, and takes many seconds to be taken down.
    """
    with ThreadPoolExecutor(1) as thread:

        def prepared() -> Iterator[Any]:
            ahead: deque[Future[Any]] = deque()
            while True:
                while len(ahead) <= _PREPARED_BATCHES:
                    ahead.append(thread.submit(_tensors, batches))
                yield ahead.popleft().result()

        yield prepared()


def _tensors(batches: Iterator[Batch]) -> tuple[Any, ...]:
    batch = next(batches)
    parts = (batch.inputs, batch.class_index, batch.weight, batch.noise, batch.total_weight)
    return tuple(tf.convert_to_tensor(part) for part in parts)


def _train_step(
    strategy: tf.distribute.Strategy, network: keras.Model, optimizer: keras.optimizers.Optimizer, distort: Distort, *, l2: float
) -> Callable[[Any], Any]:
    """Make the function that takes one step on a batch and returns `_sums` over all workers.

    Args:
        l2: this worker's share of the L2 weight: gradients are summed over the workers, and each brings one.
    """
    variables = network.trainable_variables
    kernels = [variable for variable in variables if variable.name == "kernel"]

    def gradients_and_sums(inputs: Any, class_index: Any, weight: Any, noise: Any, total_weight: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            logits = network(distort(inputs, noise), training=True)
            losses = keras.losses.sparse_categorical_crossentropy(class_index, logits, from_logits=True)
            objective = tf.reduce_sum(weight * losses) / total_weight + l2 * sum(
                tf.nn.l2_loss(kernel.value) for kernel in kernels
            )
        return [*tape.gradient(objective, variables), _sums(losses, logits, class_index, weight)]

    def step(batch: Any) -> Any:
        *gradients, sums = _summed(strategy, gradients_and_sums, batch)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return sums

    compiled: Callable[[Any], Any] = tf.function(step)
    return compiled


def _validation_step(strategy: tf.distribute.Strategy, network: keras.Model) -> Callable[[Any], Any]:
    """Make the function that judges a batch and returns `_sums` over all workers."""

    def judge(inputs: Any, class_index: Any, weight: Any, _noise: Any, _total_weight: Any) -> list[Any]:
        logits = network(tf.cast(inputs, tf.float32), training=False)
        losses = keras.losses.sparse_categorical_crossentropy(class_index, logits, from_logits=True)
        return [_sums(losses, logits, class_index, weight)]

    def step(batch: Any) -> Any:
        return _summed(strategy, judge, batch)[0]

    compiled: Callable[[Any], Any] = tf.function(step)
    return compiled


def _averaging(strategy: tf.distribute.Strategy, variables: Sequence[keras.Variable]) -> Callable[[], None]:
    """Make the function that gives variables on all workers the mean of what they hold there."""
    if not variables or strategy.num_replicas_in_sync == 1:
        return lambda: None

    def values() -> list[Any]:
        return [variable.value for variable in variables]

    def average() -> None:
        for variable, total in zip(variables, _summed(strategy, values, ()), strict=True):
            variable.assign(total / strategy.num_replicas_in_sync)

    compiled: Callable[[], None] = tf.function(average)
    return compiled


def _summed(strategy: tf.distribute.Strategy, compute: Callable[..., list[Any]], arguments: Any) -> list[Any]:
    """Have every worker compute float32 tensors of the same shapes, and sum each over the workers.

    They travel as one vector: what an exchange takes is the wait for one another, and the strategy would make one of each tensor.
    """

    shapes: list[Any] = []

    def on_this_worker(*own: Any) -> Any:
        computed = compute(*own)
        shapes[:] = [tensor.shape for tensor in computed]
        flat = tf.concat([tf.reshape(tensor, [-1]) for tensor in computed], axis=0)
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, flat)

    (flat,) = strategy.experimental_local_results(strategy.run(on_this_worker, args=arguments))
    parts = tf.split(flat, [shape.num_elements() for shape in shapes])
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]


def _sums(losses: Any, logits: Any, class_index: Any, weight: Any) -> Any:
    """Return the weighted sums of losses and of right answers, and the sum of weights."""
    is_right = tf.cast(tf.argmax(logits, axis=1, output_type=class_index.dtype) == class_index, tf.float32)
    return tf.stack([tf.reduce_sum(weight * losses), tf.reduce_sum(weight * is_right), tf.reduce_sum(weight)])


def _means(sums: NDArray[np.floating]) -> tuple[float, float]:
    return float(sums[0] / sums[2]), float(sums[1] / sums[2])
