"""Show stored pictures to the network on Spark: keys in, counts out; pictures and features stay in Python.

One pass gives features and, where the weights have a classification head, the classes of ImageNet. A task that Spark runs twice
is harmless: what is there already stays as it is.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import SparkSession
from sqlalchemy import Engine

from deep_images_hub.catalogue.embeddings import Embedding, PendingImage, add_embeddings
from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.errors import UnavailableError
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.open import open_store
from deep_images_hub.pretrained_weights import WeightsFile, obtain_weights
from deep_images_hub.settings import Settings
from models.specs import backbone_spec, features_model
from spark_jobs.counted_tasks import run_counted
from spark_jobs.stored_pictures import read_ahead, read_picture
from spark_jobs.tensorflow_process import use_one_thread

if TYPE_CHECKING:
    import keras

_TASK_IMAGES = 128


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
    """Compute and keep what the network makes of pictures, and return how many were new.

    Args:
        settings: resolved; executors open the catalogue and the store, and find the weights, by them.
        images: not empty.
        on_progress: is told now and then how many of them are done.

    Raises:
        UnavailableError: an executor could not read a picture, the catalogue or the weights. What was computed is kept.
    """
    rows = image_table(images)
    task = partial(embed_task, settings, network)
    return run_counted(spark, rows, task, title="features", key="image_id", task_rows=_TASK_IMAGES, on_progress=on_progress)


def image_table(images: Sequence[PendingImage]) -> pa.Table:
    """Return pictures as rows of `image_id` and `picture_key`."""
    return pa.table(
        {
            "image_id": pa.array([image.image_id for image in images], pa.int64()),
            "picture_key": pa.array([image.picture_key for image in images], pa.string()),
        }
    )


def embed_task(settings: Settings, network: Network, tables: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """Embed the pictures of one task; yields how many were new, chunk by chunk."""
    engine, store = opened(settings)
    observer = loaded(settings, network)
    read = partial(read_picture, store, settings, backbone_spec(network.backbone).side_px)
    for chunk, pictures in read_ahead(read, image_chunks(tables, settings.feature_batch_size), keys_of):
        yield _embed_chunk(engine, settings, network, observer, chunk, pictures)


def _embed_chunk(
    engine: Engine, settings: Settings, network: Network, observer: "keras.Model", chunk: Sequence[PendingImage], pictures: Any
) -> int:
    from models.features import observe

    seen = observe(observer, pictures, batch_size=settings.feature_batch_size)
    rows = [Embedding(image.image_id, features) for image, features in zip(chunk, seen.features, strict=True)]
    if seen.class_indexes is not None and seen.class_probabilities is not None:
        classes = zip(rows, seen.class_indexes.tolist(), seen.class_probabilities, strict=True)
        rows = [Embedding(row.image_id, row.features, indexes, shares) for row, indexes, shares in classes]
    with engine.begin() as connection:
        return add_embeddings(connection, model=network.model, rows=rows)


def image_chunks(tables: Iterable[pa.RecordBatch], size: int) -> Iterator[list[PendingImage]]:
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


def keys_of(chunk: Sequence[PendingImage]) -> list[str]:
    """Return where the pictures of a chunk lie."""
    return [image.picture_key for image in chunk]


@lru_cache(maxsize=1)
def opened(settings: Settings) -> tuple[Engine, ObjectStore]:
    """Open catalogue and store once a Python worker, which Spark uses for many tasks."""
    return open_engine(settings), open_store(settings)


def weights_like(settings: Settings, network: Network) -> WeightsFile:
    """Obtain this executor's weights of the network. Raises UnavailableError when they are not those of the driver."""
    weights = obtain_weights(settings, network.backbone)
    if weights.sha256 != network.weights_sha256:
        raise UnavailableError(
            f"The weights at {weights.path} on this executor have the sha256 {weights.sha256[:12]}..., those of the driver "
            f"{network.weights_sha256[:12]}.... Give all machines the same file, or set HUB_WEIGHTS to an object's URL."
        )
    return weights


@lru_cache(maxsize=1)
def loaded(settings: Settings, network: Network) -> "keras.Model":
    """Load the network once a Python worker."""
    weights = weights_like(settings, network)
    use_one_thread()
    from models.backbones import build_observer
    from models.features import dtype_policy

    policy = dtype_policy(settings.mixed_bfloat16, network.backbone)
    observer = build_observer(network.backbone, weights.path, dtype_policy=policy)
    # After each task Spark lets Python look for garbage among all that there is. TensorFlow is none, and took it 0.24 s.
    gc.freeze()
    return observer
