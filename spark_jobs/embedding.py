"""Compute features of stored pictures on Spark: keys in, counts out; pictures and features stay in Python.

A task that Spark runs twice is harmless: features that are there already stay as they are.
"""

import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import SparkContext
from pyspark.sql import SparkSession
from sqlalchemy import Engine

from deep_images_hub.catalogue.embeddings import PendingImage, add_embeddings
from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.errors import HubError, UnavailableError
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.open import open_store
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.settings import Settings
from models.specs import backbone_spec, features_model
from spark_jobs.stored_pictures import read_ahead, read_picture
from spark_jobs.tensorflow_process import use_one_thread

if TYPE_CHECKING:
    import keras

# Pictures of one task: enough to be worth its start, few enough that all cores end together.
_TASK_IMAGES = 128
_POLL_S = 0.3
_COUNT_SCHEMA = "embedded long, problem string"


@dataclass(frozen=True)
class Network:
    """The network whose features are kept.

    Attributes:
        backbone: as in the setting.
        weights_sha256: of its weights file; an executor that finds another one refuses to work.
    """

    backbone: str
    weights_sha256: str

    @property
    def model(self) -> str:
        """Name under which the catalogue keeps its features."""
        return features_model(self.backbone, self.weights_sha256)


def embed(
    spark: SparkSession,
    settings: Settings,
    network: Network,
    images: Sequence[PendingImage],
    *,
    on_progress: Callable[[int], None],
) -> int:
    """Compute and keep the features of pictures, and return how many were new.

    Args:
        settings: resolved; executors open the catalogue and the store, and find the weights, by them.
        images: not empty.
        on_progress: is told now and then how many of them are done.

    Raises:
        UnavailableError: an executor could not read a picture, the catalogue or the weights. What was computed is kept.
    """
    group = f"embed-{uuid.uuid4()}"
    tasks = max(min(spark.sparkContext.defaultParallelism, len(images)), math.ceil(len(images) / _TASK_IMAGES))
    table = pa.table(
        {
            "image_id": pa.array([image.image_id for image in images], pa.int64()),
            "picture_key": pa.array([image.picture_key for image in images], pa.string()),
        }
    )

    def run() -> list[Any]:
        spark.sparkContext.setJobGroup(group, "features", interruptOnCancel=True)
        pictures = spark.createDataFrame(table).repartitionByRange(tasks, "image_id")
        return pictures.mapInArrow(partial(_embed_task, settings, network), _COUNT_SCHEMA).collect()

    with ThreadPoolExecutor(1, thread_name_prefix="embedding") as background:
        counting = background.submit(run)
        try:
            while not counting.done():
                time.sleep(_POLL_S)
                on_progress(math.floor(_done_share(spark.sparkContext, group) * len(images)))
        finally:
            # After a Ctrl-C: what is computed stays, the rest is given up.
            if not counting.done():
                spark.sparkContext.cancelJobGroup(group)
        counts = counting.result()
    for count in counts:
        if count.problem is not None:
            raise UnavailableError(count.problem)
    on_progress(len(images))
    return sum(count.embedded for count in counts)


def _done_share(context: SparkContext, group: str) -> float:
    """Return how much of a group's last stage is done, 0..1: the stages before it only spread the keys."""
    tracker = context.statusTracker()
    infos = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [stage for info in infos if info is not None for stage in info.stageIds]
    last = tracker.getStageInfo(max(stages)) if stages else None
    return last.numCompletedTasks / last.numTasks if last is not None and last.numTasks else 0.0


def _embed_task(settings: Settings, network: Network, tables: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Embed the pictures of one task. There is one row: how many were new, or why the task gave up."""
    embedded, problem = 0, None
    try:
        engine, store = _opened(settings)
        backbone = _loaded(settings, network)
        read = partial(read_picture, store, settings, backbone_spec(network.backbone).side_px)
        for chunk, pictures in read_ahead(read, _chunks(tables, settings.feature_batch_size), _keys):
            embedded += _embed_chunk(engine, settings, network, backbone, chunk, pictures)
    except HubError as error:
        problem = str(error)
    yield pa.RecordBatch.from_pydict({"embedded": pa.array([embedded], pa.int64()), "problem": pa.array([problem], pa.string())})


def _embed_chunk(
    engine: Engine, settings: Settings, network: Network, backbone: "keras.Model", chunk: Sequence[PendingImage], pictures: Any
) -> int:
    from models.features import pooled_features

    features = pooled_features(backbone, pictures, batch_size=settings.feature_batch_size)
    ids = [image.image_id for image in chunk]
    with engine.begin() as connection:
        return add_embeddings(connection, model=network.model, rows=zip(ids, features, strict=True))


def _chunks(tables: Iterable[pa.RecordBatch], size: int) -> Iterator[list[PendingImage]]:
    """Gather rows into chunks of one forward pass, however Spark cut them into tables."""
    chunk: list[PendingImage] = []
    for table in tables:
        for image_id, key in zip(table.column("image_id").to_pylist(), table.column("picture_key").to_pylist(), strict=True):
            chunk.append(PendingImage(image_id, key))
            if len(chunk) == size:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _keys(chunk: Sequence[PendingImage]) -> list[str]:
    return [image.picture_key for image in chunk]


@lru_cache(maxsize=1)
def _opened(settings: Settings) -> tuple[Engine, ObjectStore]:
    """Open catalogue and store once a Python worker, which Spark uses for many tasks."""
    return open_engine(settings), open_store(settings)


@lru_cache(maxsize=1)
def _loaded(settings: Settings, network: Network) -> "keras.Model":
    """Load the network once a Python worker."""
    weights = obtain_weights(settings, network.backbone)
    if weights.sha256 != network.weights_sha256:
        raise UnavailableError(
            f"The weights at {weights.path} on this executor have the sha256 {weights.sha256[:12]}..., those of the driver "
            f"{network.weights_sha256[:12]}.... Give all machines the same file, or set HUB_WEIGHTS to an object's URL."
        )
    use_one_thread()
    from models.backbones import build_backbone
    from models.features import dtype_policy

    policy = dtype_policy(settings.mixed_bfloat16, network.backbone)
    return build_backbone(network.backbone, weights.path, dtype_policy=policy)
