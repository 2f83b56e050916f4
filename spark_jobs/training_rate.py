"""How fast one worker trains, held to one core: the whole of a process of `scripts/bench training`, which asks it.

A worker has the same work however many there are: an epoch of as many steps, on a batch of as many rows.
"""

import json
import os
import statistics
import sys
import time
from argparse import ArgumentParser
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.object_store.open import open_store
from deep_images_hub.settings import load_settings
from models.batches import Examples, steps_per_epoch
from models.specs import backbone_spec
from models.training_config import TrainingConfig, load_card
from models.training_outcome import EpochReport
from spark_jobs.stored_pictures import LocalRows, StoredPictures, read_picture
from spark_jobs.tensorflow_process import use_one_thread
from spark_jobs.training_set import TrainingSet

_BACKBONE = "compact_vgg"
_WORKER_BATCH = 32


def main() -> None:
    """Read the pictures, then train as often as asked, by a line of JSON each; the answers are one each, too."""
    parser = ArgumentParser()
    parser.add_argument("--version", type=int, required=True)
    parser.add_argument("--core", type=int, required=True)
    given = parser.parse_args()
    os.sched_setaffinity(0, {given.core})
    examples, class_count, loader_images_per_s = _loaded(given.version)
    use_one_thread()
    for line in sys.stdin:
        asked = json.loads(line)
        measure = _fit if asked.pop("way") == "fit" else _train
        found = measure(examples, class_count, **asked)
        print(json.dumps(found | {"loader_images_per_s": loader_images_per_s, "batch": _WORKER_BATCH}), flush=True)


def _loaded(version_id: int) -> tuple[Examples, int, float]:
    """Read all pictures of a version once, whatever their split; return also how many a second that was."""
    settings = load_settings()
    engine = open_engine(settings)
    with engine.connect() as connection:
        training_set = TrainingSet.of_version(connection, version_id)
    engine.dispose()
    side_px = backbone_spec(_BACKBONE).side_px
    read = partial(read_picture, open_store(settings), settings, side_px)
    count = len(training_set.pictures) // _WORKER_BATCH * _WORKER_BATCH
    pictures = LocalRows(StoredPictures(read, [picture.picture_key for picture in training_set.pictures]).at, count)
    began_s = time.perf_counter()
    pictures.rows(np.arange(count))
    loader_images_per_s = count / (time.perf_counter() - began_s)
    examples = Examples(pictures.rows, training_set.class_index[:count], np.ones(count, np.float32))
    return examples, len(training_set.labels), loader_images_per_s


def _config(epochs: int, workers: int) -> TrainingConfig:
    card = load_card(_BACKBONE, seed=0)
    return TrainingConfig(**vars(card) | {"epochs": epochs, "global_batch": _WORKER_BATCH * workers})


def _train(examples: Examples, class_count: int, *, epochs: int, rank: int, addresses: list[str]) -> dict[str, float]:
    """Train with our loop; the rate is that of all workers together."""
    from models.augmentation import DISTORTION_NOISE, distort
    from models.compact_vgg import build_compact_vgg
    from models.ghost_batch_norm import GhostBatchNormalization
    from models.team import join
    from models.train_loop import Task, train

    workers = max(1, len(addresses))
    ended_s: list[float] = []

    def note(_report: EpochReport) -> None:
        ended_s.append(time.perf_counter())

    examples = _shown_often(examples, workers)
    nothing = Examples(examples.rows, examples.class_index[:0], examples.weight[:0])
    build = partial(build_compact_vgg, class_count, normalisation=GhostBatchNormalization)
    task = Task(build=build, training=examples, validation=nothing, distort=distort, noise_width=DISTORTION_NOISE)
    config = _config(epochs, workers)
    trained = train(task, config, team=join(rank, addresses), on_epoch=note)
    gradient_bytes = sum(weight.nbytes for weight in trained.weights)
    if rank:
        return {}
    return {"images_per_s": _images_per_s(len(examples), ended_s), "gradient_bytes": gradient_bytes}


def _shown_often(examples: Examples, times: int) -> Examples:
    """Return examples of which each is so many."""
    count = len(examples)
    return Examples(lambda at: examples.rows(at % count), np.tile(examples.class_index, times), np.tile(examples.weight, times))


def _fit(examples: Examples, class_count: int, *, epochs: int) -> dict[str, float]:
    """Train with Keras' own loop, on pictures in memory."""
    import keras

    from models.augmentation import DISTORTION_NOISE, distort
    from models.compact_vgg import build_compact_vgg
    from models.ghost_batch_norm import GhostBatchNormalization
    from models.train_loop import build_optimizer

    class Distortion(keras.layers.Layer):  # type: ignore[misc] # Keras comes without types
        """`distort` as a layer, with noise of its own."""

        def __init__(self) -> None:
            super().__init__()
            self._noise = keras.random.SeedGenerator(0)

        def call(self, pictures: Any, training: bool = False) -> Any:
            if not training:
                return pictures
            return distort(pictures, keras.random.uniform((keras.ops.shape(pictures)[0], DISTORTION_NOISE), seed=self._noise))

    class Note(keras.callbacks.Callback):  # type: ignore[misc] # the same
        """Notes when an epoch ended."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ended_s.append(time.perf_counter())

    ended_s: list[float] = []
    config = _config(epochs, 1)
    network = keras.Sequential([Distortion(), build_compact_vgg(class_count, normalisation=GhostBatchNormalization)])
    network.compile(
        build_optimizer(config, step_count=epochs * steps_per_epoch(len(examples), _WORKER_BATCH)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    pictures = examples.rows(np.arange(len(examples)))
    network.fit(pictures, examples.class_index, batch_size=_WORKER_BATCH, epochs=epochs, verbose=0, callbacks=[Note()])
    return {"images_per_s": _images_per_s(len(examples), ended_s)}


def _images_per_s(images: int, ended_s: list[float]) -> float:
    """Return the rate of the median epoch. The first, which compiles, does not count."""
    return images / statistics.median(end_s - begin_s for begin_s, end_s in pairwise(ended_s))
