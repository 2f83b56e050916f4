"""Train on Spark's workers, which meet by address and train together (`models.train_loop`)."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from py4j.protocol import Py4JJavaError
from pyspark import SparkContext

from deep_images_hub import errors
from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.errors import HubError, UnavailableError
from deep_images_hub.object_store.open import open_store
from models.batches import Examples
from models.training_config import TrainingConfig
from models.training_outcome import EpochReport, Trained, mixed
from spark_jobs.barrier_calls import call_together
from spark_jobs.checkpoints import checkpoints_of
from spark_jobs.run_progress import tell
from spark_jobs.training_inputs import compute_ahead, what_to_learn
from spark_jobs.training_plan import TrainingPlan

if TYPE_CHECKING:
    import keras

    from models.train_loop import Task

Metrics = Mapping[str, float]

_ADDRESS_ATTEMPTS = 3


def train_on_workers(context: SparkContext, plan: TrainingPlan, *, workers: int) -> Trained:
    """Train on so many barrier tasks at once.

    Returns:
        What came of it. A head's weights are for features scaled as `models.feature_scale` says of the training split.

    Raises:
        UnavailableError: Spark has fewer slots than workers, or a worker could not reach something.
        ConflictError: the run was cancelled or taken by another.
    """
    for _ in range(_ADDRESS_ATTEMPTS):
        try:
            return call_together(context, partial(_train, plan), workers=workers)
        except Py4JJavaError as error:
            if "AddressTakenError" not in str(error):
                raise _expected(error, workers) or error from error
    raise UnavailableError(
        f"{_ADDRESS_ATTEMPTS} times a worker's address was taken by another process before it could listen there. Try again."
    )


def _expected(error: Py4JJavaError, workers: int) -> HubError | None:
    """Find the expected error that ended a task, or that kept Spark from starting it; None: it is a defect."""
    text = str(error)
    if "requires more slots" in text:
        return UnavailableError(
            f"The run asks for {workers} workers at once, and Spark has fewer slots. Ask for fewer workers "
            "(HUB_TRAINING_WORKERS), or give Spark more cores (--master)."
        )
    # Spark hands on what a task raised as a text: Python's stack trace, whose last line names the class and the message.
    for name, message in re.findall(r"^(?:\w+: )?deep_images_hub\.errors\.(\w+): (.+)$", text, re.MULTILINE):
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, HubError):
            return kind(message)
    if "ExecutorLostFailure" in text:
        return UnavailableError(
            "An executor that trained was lost. Look into its log where this happens again: too little memory, or a machine that "
            "went away."
        )
    if "BrokenProcessPool" in text:
        return UnavailableError(
            "A process that trained was killed, most often by the system, for want of memory. Give the machines that train more, "
            "or ask for fewer workers on each."
        )
    if "Collective ops is aborted" in text or "CoordinationServiceError" in text:
        # TensorFlow's word of those that are left. It may come before that of the worker that went.
        return UnavailableError(
            "A worker lost another one that it trained with: killed, out of reach, or unable to go on. The executors' logs say "
            "which, and why."
        )
    return None


def _train(plan: TrainingPlan, rank: int, addresses: list[str]) -> Trained:
    """Runs in a process of its own."""
    from models.team import join
    from models.train_loop import top1_of, train

    engine = open_engine(plan.settings)
    with engine.connect() as connection:
        training_set = plan.training_set(connection)
        learning = what_to_learn(connection, plan, training_set)
    told = partial(tell, engine, run_id=plan.run_id, attempt=plan.attempt)

    def train_stage(task: "Task", config: TrainingConfig, stage: str, measured: Callable[[EpochReport], Metrics]) -> Trained:
        def on_epoch(epoch: EpochReport) -> None:
            told(stage=stage, done=epoch.epoch, total=epoch.epochs, metrics=measured(epoch))

        checkpoints = checkpoints_of(open_store(plan.settings), plan, training_set, stage=stage) if rank == 0 else None
        return train(task, config, team=team, on_epoch=on_epoch, checkpoints=checkpoints)

    team = join(rank, addresses)
    if plan.fine_tuned_head is not None:
        compute_ahead(learning, plan, team, lambda done, total: told(stage="views", done=done, total=total))
    trained = train_stage(learning.task, plan.config, plan.stage, _finite)
    if plan.fine_tuned_head is not None:
        first = learning.task.build().get_weights()
        whole = None
        if learning.whole is not None:
            rest = _from_there(learning.task, trained.weights, learning.whole)
            # Not under the names of the losses before, beside which there was one on a validation split.
            whole = train_stage(rest, plan.config.for_the_rest(), "rest", _rest_loss)
        trained = _kept_near(first, trained, whole, plan.config.start_share)
        trained = replace(trained, validation_accuracy=top1_of(learning.task, trained.weights, plan.config, team))
    engine.dispose()
    return trained


def _finite(epoch: EpochReport) -> Metrics:
    return {name: value for name, value in asdict(epoch).items() if isinstance(value, float) and math.isfinite(value)}


def _rest_loss(epoch: EpochReport) -> Metrics:
    return {"rest_loss": epoch.loss} if math.isfinite(epoch.loss) else {}


def _from_there(task: "Task", weights: list[NDArray[np.float32]], training: Examples) -> "Task":
    """Return the task that goes on from weights with other examples, and is not judged."""

    def build() -> "keras.Model":
        network = task.build()
        network.set_weights(weights)
        return network

    nothing = replace(task.validation, class_index=task.validation.class_index[:0], weight=task.validation.weight[:0])
    return replace(task, build=build, training=training, validation=nothing)


def _kept_near(first: list[NDArray[np.float32]], trained: Trained, whole: Trained | None, share: float) -> Trained:
    """Keep a share of the weights that a network began with, in what was judged and in what learned on from there alike."""
    return replace(
        trained,
        weights=mixed(first, trained.weights, first_share=share),
        whole_weights=None if whole is None else mixed(first, whole.weights, first_share=share),
    )
