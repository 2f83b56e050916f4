"""Train a network synchronously on one or several workers: our own loop, since Keras 3's `fit` fails under this strategy.

Every worker of a team (`models.team`) runs `train` with the same arguments. They hold the same weights at all times: each
computes the gradients of its rows of a batch, TensorFlow sums them over the workers, and all take the same step. One worker and
several come to the same weights to rounding, where the workers divide the batch, and groups of `ghost_batch_norm` their shares
of it (docs/experiments.md). What a step does depends on its number and the weights alone, so that a training that was lost goes
on from its last checkpoint as if nothing had happened. This module is TensorFlow's, because of `tf.distribute`.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from deep_images_hub.errors import SettingsError
from models.batches import Batch, Examples, steps_per_epoch, training_batches, validation_batches
from models.checkpoint import Checkpoints
from models.team import Team, join
from models.training_config import TrainingConfig
from models.training_outcome import EpochReport, Trained
from models.training_state import TrainingState

Distort = Callable[[Any, Any], Any]

_PREPARED_BATCHES = 2


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Attributes:
        build: builds the network, giving logits, as it begins: with random weights, or with what was learnt before.
        training: what is learned from.
        validation: what decides when to stop; may be empty, then all epochs are run.
        distort: applied to inputs with noise before each step; never to validation.
        noise_width: random numbers that `distort` takes for one example.
        is_in_training_mode: normalisation goes by the batch, and follows its statistics; False: the network is called as in use.
    """

    build: Callable[[], keras.Model]
    training: Examples
    validation: Examples
    distort: Distort
    noise_width: int
    is_in_training_mode: bool = True


def train(
    task: Task,
    config: TrainingConfig,
    *,
    team: Team | None = None,
    on_epoch: Callable[[EpochReport], None] = lambda _report: None,
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Train until the validation loss stops falling, or the training's own is no number any more: no later step mends that.

    Args:
        team: who trains together; None: this process alone.
        on_epoch: called after each epoch by rank 0 alone; what it raises ends the training.
        checkpoints: rank 0's; with others they are ignored.

    Returns:
        What came of it; `reports` of another rank than 0 lack those from before a checkpoint.

    Raises:
        SettingsError: the loss, or that on the validation split, is no number from the first epoch on.
    """
    team = team or join()
    rank, workers, strategy = team.rank, team.size, team.strategy
    step_count = steps_per_epoch(len(task.training), config.global_batch)
    state = _first_state(strategy, task, config, rank, checkpoints)
    network = state.network
    average_statistics = _averaging(strategy, _statistics(network) if task.is_in_training_mode else [])
    train_step = _train_step(strategy, state, task, l2=config.l2 / workers)
    share = {"global_batch": config.global_batch, "rank": rank, "workers": workers}
    steps = training_batches(task.training, seed=config.seed, noise_width=task.noise_width, first_step=state.step, **share)
    keeper = _Keeper(checkpoints if rank == 0 else None, state)
    has_validation = len(task.validation) > 0

    with _prepared(steps) as batches, _validation(strategy, network, task.validation, **share) as validation_sums:
        while (epoch := state.step // step_count + 1) <= config.epochs:
            # The sums are over all workers, the same numbers everywhere: all workers decide the same.
            if has_validation and epoch > 1 and epoch - 1 - state.best_epoch >= config.patience:
                break
            while state.step < epoch * step_count:
                *sums, is_due = train_step(next(batches), keeper.is_due()).numpy()
                state.step += 1
                state.epoch_sums += sums
                if is_due and state.step < epoch * step_count:
                    average_statistics()
                    keeper.keep()
            average_statistics()
            report = EpochReport(epoch, config.epochs, *_means(state.epoch_sums), *_means(validation_sums()))
            is_number = math.isfinite(report.loss)
            state.end_epoch(report, is_best=is_number and (not has_validation or report.validation_loss < state.best_loss))
            if rank == 0:
                on_epoch(report)
            if not is_number:
                break
            keeper.keep_after_epoch()
    return _outcome(state, config)


def top1_of(task: Task, weights: list[NDArray[np.float32]], config: TrainingConfig, team: Team) -> float:
    """Return the part of the validation split that a network with the first worker's weights is right on. All workers call it."""
    network = task.build()
    network.set_weights(weights)
    _averaging(team.strategy, _floats(network.variables), counts=team.rank == 0)()
    share = {"global_batch": config.global_batch, "rank": team.rank, "workers": team.size}
    with _validation(team.strategy, network, task.validation, **share) as validation_sums:
        return _means(validation_sums())[1]


def _outcome(state: TrainingState, config: TrainingConfig) -> Trained:
    if not state.best_epoch:
        last = state.reports[-1]
        whose, loss = ("loss on the validation split", last.validation_loss) if math.isfinite(last.loss) else ("loss", last.loss)
        raise SettingsError(
            f"The {whose} was no number ({loss}) in epoch {last.epoch}, and no epoch before gave weights to keep. Lower "
            f"learning_rate ({config.learning_rate:g}) in its card (config/training), or compute in full precision "
            "(HUB_MIXED_BFLOAT16=off); then ask for it again."
        )
    return Trained(state.best_weights, state.best_epoch, state.reports)


@contextmanager
def _validation(
    strategy: tf.distribute.Strategy, network: keras.Model, examples: Examples, *, global_batch: int, rank: int, workers: int
) -> Iterator[Callable[[], NDArray[np.float32]]]:
    """Give a way to judge the network on a split, over all workers: `_sums` of it; NaN where it is empty."""
    step = _validation_step(strategy, network)
    step_count = steps_per_epoch(len(examples), global_batch)
    with _prepared(validation_batches(examples, global_batch=global_batch, rank=rank, workers=workers)) as batches:

        def judge() -> NDArray[np.float32]:
            if not step_count:
                return np.full(3, np.nan, np.float32)
            sums: NDArray[np.float32] = sum(step(next(batches)).numpy() for _ in range(step_count))
            return sums

        yield judge


class _Keeper:
    """Says when it is time for a checkpoint, and keeps it. Without `Checkpoints` it is never time."""

    def __init__(self, checkpoints: Checkpoints | None, state: TrainingState) -> None:
        self._checkpoints = checkpoints
        self._state = state
        self._kept_at_s = time.monotonic()

    def is_due(self) -> Any:
        # A tensor, since the compiled step would be compiled anew for each number of Python.
        return tf.constant(float(self._checkpoints is not None and self._passed_s() >= self._checkpoints.every_s))

    def keep(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.keep(self._state.checkpoint())
            self._kept_at_s = time.monotonic()

    def keep_after_epoch(self) -> None:
        if self._checkpoints is not None and self._passed_s() >= self._checkpoints.min_s:
            self.keep()

    def _passed_s(self) -> float:
        return time.monotonic() - self._kept_at_s


def _first_state(
    strategy: tf.distribute.Strategy, task: Task, config: TrainingConfig, rank: int, checkpoints: Checkpoints | None
) -> TrainingState:
    """Build the network and the optimizer, as they begin or as the last checkpoint has them; the same on all workers."""
    keras.utils.set_random_seed(config.seed)
    network = task.build()
    optimizer = build_optimizer(config, step_count=config.epochs * steps_per_epoch(len(task.training), config.global_batch))
    optimizer.build(network.trainable_variables)
    state = TrainingState(network, optimizer)
    if checkpoints is not None and checkpoints.latest is not None and rank == 0:
        state.resume(checkpoints.latest)
    _send_state(strategy, state, rank)
    return state


def _send_state(strategy: tf.distribute.Strategy, state: TrainingState, rank: int) -> None:
    """Give all workers the state of the first one.

    Without a checkpoint they all began alike from the same seed, but machines of different kinds may round differently.
    """
    if strategy.num_replicas_in_sync > 1:
        _averaging(strategy, [*_floats(state.network.variables), *state.memory], counts=rank == 0)()
        marks = [float(state.step), *state.epoch_sums.tolist(), float(state.best_epoch), state.best_loss]

        def own_marks() -> list[Any]:
            return [tf.constant(marks if rank == 0 else [0.0] * len(marks), tf.float32)]

        sent = tf.function(lambda: _summed(strategy, own_marks, ())[0])().numpy()
        state.step, state.best_epoch, state.best_loss = int(sent[0]), int(sent[4]), float(sent[5])
        state.epoch_sums = sent[1:4]
    state.optimizer.iterations.assign(state.step)


def _statistics(network: keras.Model) -> list[keras.Variable]:
    """Return what normalisation learns of batches; not the variables of frozen layers, which stay as they are."""
    return _floats(variable for layer in network.layers if layer.trainable for variable in layer.non_trainable_variables)


def _floats(variables: Iterable[keras.Variable]) -> list[keras.Variable]:
    """Return those that numbers can be summed of: generators of random numbers have states of another kind."""
    return [variable for variable in variables if variable.dtype == "float32"]


def build_optimizer(config: TrainingConfig, *, step_count: int) -> keras.optimizers.Optimizer:
    """Build the optimizer of a training of so many steps.

    The learning rate rises for a tenth of the steps, then falls to nothing along a cosine.
    """
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


def _train_step(strategy: tf.distribute.Strategy, state: TrainingState, task: Task, *, l2: float) -> Callable[[Any, Any], Any]:
    """Make the function that takes one step on a batch and returns `_sums` over all workers, and theirs of `is_due`, 0 or 1 each.

    Args:
        l2: this worker's share of the L2 weight: gradients are summed over the workers, and each brings one.
    """
    network, optimizer = state.network, state.optimizer
    variables = network.trainable_variables
    kernels = [variable for variable in variables if variable.name == "kernel"]

    def gradients_and_sums(inputs: Any, class_index: Any, weight: Any, noise: Any, total_weight: Any, is_due: Any) -> list[Any]:
        distorted = task.distort(inputs, noise)
        with tf.GradientTape() as tape:
            logits = network(distorted, training=task.is_in_training_mode)
            losses = keras.losses.sparse_categorical_crossentropy(class_index, logits, from_logits=True)
            objective = tf.reduce_sum(weight * losses) / total_weight + l2 * sum(
                tf.nn.l2_loss(kernel.value) for kernel in kernels
            )
        return [*tape.gradient(objective, variables), tf.concat([_sums(losses, logits, class_index, weight), [is_due]], axis=0)]

    def step(batch: Any, is_due: Any) -> Any:
        *gradients, sums = _summed(strategy, gradients_and_sums, (*batch, is_due))
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return sums

    compiled: Callable[[Any, Any], Any] = tf.function(step)
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


def _averaging(
    strategy: tf.distribute.Strategy, variables: Sequence[keras.Variable], *, counts: bool | None = None
) -> Callable[[], None]:
    """Make the function that gives variables on all workers the mean of what they hold there.

    Args:
        counts: whether this worker's count, of which exactly one's must; None: the mean is over all.
    """
    if not variables or strategy.num_replicas_in_sync == 1:
        return lambda: None

    share = 1.0 / strategy.num_replicas_in_sync if counts is None else float(counts)

    def values() -> list[Any]:
        return [variable.value * share for variable in variables]

    def average() -> None:
        for variable, total in zip(variables, _summed(strategy, values, ()), strict=True):
            variable.assign(total)

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
