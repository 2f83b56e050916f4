"""Train on Spark's workers: one barrier task each, which meet by address and train together (`models.train_loop`)."""

import math
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark import BarrierTaskContext, SparkContext
from sqlalchemy import Connection

from deep_images_hub import errors
from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.errors import HubError, UnavailableError
from deep_images_hub.object_store.open import open_store
from deep_images_hub.settings import Settings
from models.batches import Examples, Rows, class_weights
from models.specs import backbone_spec
from models.training_config import TrainingConfig
from models.training_outcome import EpochReport, Trained
from spark_jobs.run_progress import tell
from spark_jobs.stored_pictures import LocalPictures, read_picture
from spark_jobs.tensorflow_process import fresh_process
from spark_jobs.training_set import TrainingSet, features_by_position

if TYPE_CHECKING:
    from models.train_loop import Task

_ADDRESS_ATTEMPTS = 3


@dataclass(frozen=True)
class TrainingPlan:
    """What each worker needs to know.

    Attributes:
        settings: resolved; workers open the catalogue and the store by them.
        features_model: whose features a head is trained on; None: `backbone` is trained from scratch on pictures.
    """

    settings: Settings
    run_id: int
    attempt: int
    version_id: int
    version_digest: str
    backbone: str
    features_model: str | None
    config: TrainingConfig


def train_on_workers(context: SparkContext, plan: TrainingPlan, *, workers: int) -> Trained:
    """Train on so many barrier tasks at once.

    Returns:
        What came of it. A head's weights are for features scaled as `models.head.FeatureScale` of the training split says.

    Raises:
        UnavailableError: Spark has fewer slots than workers, or a worker could not reach something.
        ConflictError: the run was cancelled or taken by another.
    """
    for _ in range(_ADDRESS_ATTEMPTS):
        try:
            tasks = context.parallelize(range(workers), workers).barrier()
            (trained,) = tasks.mapPartitions(partial(_task, plan)).collect()
        except Py4JJavaError as error:
            if "AddressTakenError" not in str(error):
                raise _expected(error, workers) or error from error
        else:
            return trained
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
    return None


def _task(plan: TrainingPlan, _positions: Iterable[int]) -> Iterator[Trained]:
    """Train as one of the workers; rank 0 tells what came of it."""
    context = BarrierTaskContext.get()
    rank = context.partitionId()
    host = context.getTaskInfos()[rank].address.partition(":")[0]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as held, fresh_process() as call:
        # Bound here for as long as the training takes, so that nobody else is given the port. TensorFlow's server may listen
        # there all the same: both set this option.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, 0))
        addresses = context.allGather(f"{host}:{held.getsockname()[1]}")
        trained = call(_train, plan, rank, addresses if len(addresses) > 1 else [])
        # Whoever left first would look lost to the others.
        context.barrier()
    if rank == 0:
        yield trained


def _train(plan: TrainingPlan, rank: int, addresses: list[str]) -> Trained:
    """Runs in a process of its own."""
    from models.train_loop import train

    engine = open_engine(plan.settings)
    with engine.connect() as connection:
        training_set = TrainingSet.of_version(connection, plan.version_id)
        task = _scratch_task(plan, training_set) if plan.features_model is None else _head_task(connection, plan, training_set)

    def report(epoch: EpochReport) -> None:
        metrics = {name: value for name, value in asdict(epoch).items() if isinstance(value, float) and math.isfinite(value)}
        tell(
            engine,
            run_id=plan.run_id,
            attempt=plan.attempt,
            stage="train",
            done=epoch.epoch,
            total=epoch.epochs,
            metrics=metrics,
        )

    trained = train(task, plan.config, rank=rank, addresses=addresses, on_epoch=report)
    engine.dispose()
    return trained


def _head_task(connection: Connection, plan: TrainingPlan, training_set: TrainingSet) -> "Task":
    """A head on features that the catalogue keeps."""
    from models.head import FeatureScale, build_head, hide_features
    from models.train_loop import Task

    assert plan.features_model is not None
    features = features_by_position(connection, training_set, model=plan.features_model, version_id=plan.version_id)
    scaled = FeatureScale.of(features[training_set.positions("train")]).scaled(features)
    feature_count = scaled.shape[1]
    return Task(
        build=partial(build_head, feature_count, len(training_set.labels)),
        training=_examples(training_set, "train", scaled.__getitem__, has_class_weights=plan.config.has_class_weights),
        validation=_examples(training_set, "validation", scaled.__getitem__),
        distort=partial(hide_features, rate=plan.config.dropout),
        noise_width=feature_count,
    )


def _scratch_task(plan: TrainingPlan, training_set: TrainingSet) -> "Task":
    """A whole network on pictures, which each machine reads once."""
    from models.compact_vgg import DISTORTION_NOISE, build_compact_vgg, distort
    from models.ghost_batch_norm import GhostBatchNormalization
    from models.train_loop import Task

    side_px = backbone_spec(plan.backbone).side_px
    read = partial(read_picture, open_store(plan.settings), plan.settings, side_px)
    rows = LocalPictures(read, [picture.picture_key for picture in training_set.pictures], side_px).rows
    return Task(
        build=partial(build_compact_vgg, len(training_set.labels), normalisation=GhostBatchNormalization),
        training=_examples(training_set, "train", rows, has_class_weights=plan.config.has_class_weights),
        validation=_examples(training_set, "validation", rows),
        distort=distort,
        noise_width=DISTORTION_NOISE,
    )


def _examples(training_set: TrainingSet, split: str, rows: Rows, *, has_class_weights: bool = False) -> Examples:
    """Return a split's examples, given the inputs by position in the whole version."""
    positions = training_set.positions(split)
    class_index = training_set.class_index[positions]
    return Examples(
        rows=lambda at: rows(positions[at]),
        class_index=class_index,
        weight=class_weights(class_index, len(training_set.labels)) if has_class_weights else np.ones(len(positions), np.float32),
    )
