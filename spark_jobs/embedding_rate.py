"""How fast a Spark task embeds pictures beside the bare network, in one process with the task's own settings.

For `scripts/bench features`, which may not load TensorFlow itself and runs this in a process of its own. Spark is not started.
"""

import json
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from sqlalchemy import text

from deep_images_hub.catalogue.embeddings import PendingImage, pending_images
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.settings import Settings, load_settings
from models.specs import backbone_spec
from spark_jobs.embedding import Network, embed_task, loaded, opened
from spark_jobs.stored_pictures import read_picture


@dataclass(frozen=True)
class Rate:
    """Pictures a second, by the clock and by the processor seconds of this process."""

    by_clock: float
    by_processor: float


def embedding_rates(settings: Settings, *, images: int, rounds: int) -> dict[str, object]:
    """Return the rates of the bare network and of the task that reads, computes and writes; medians of the rounds, taken in turn.

    Args:
        settings: resolved; of a hub of the bench's own, with at least so many accepted pictures. Its features are removed.
    """
    network = Network(settings.backbone, obtain_weights(settings, settings.backbone).sha256)
    engine, store = opened(settings)
    with engine.connect() as connection:
        pending = pending_images(connection, model=network.model, limit=images)
    # Whole chunks: the rest of one would cost as much as a whole one.
    pending = pending[: len(pending) // settings.feature_batch_size * settings.feature_batch_size]
    side_px = backbone_spec(network.backbone).side_px
    # Before anything else of TensorFlow: this also keeps it to one thread.
    observer = loaded(settings, network)
    pictures = np.stack([read_picture(store, settings, side_px, image.picture_key) for image in pending])
    batches = np.split(pictures, len(pictures) // settings.feature_batch_size)

    def compute_alone() -> None:
        for batch in batches:
            observer.predict_on_batch(batch)

    def forget() -> None:
        with engine.begin() as connection:
            connection.execute(text("delete from embeddings"))

    table = _table(pending)
    bare, whole = [], []
    compute_alone()
    for _ in range(rounds):
        bare.append(_rate(compute_alone, len(pending)))
        forget()
        whole.append(_rate(partial(_run_whole, settings, network, table), len(pending)))
    rates = {"bare": _median(bare), "features": _median(whole)}
    return {
        "images": len(pending),
        "backbone": network.backbone,
        "images_per_s_per_core": {name: round(rate.by_clock, 1) for name, rate in rates.items()},
        "images_per_cpu_s": {name: round(rate.by_processor, 1) for name, rate in rates.items()},
        "features_to_bare_network": round(rates["features"].by_processor / rates["bare"].by_processor, 3),
        "features_to_bare_network_by_clock": round(rates["features"].by_clock / rates["bare"].by_clock, 3),
    }


def _run_whole(settings: Settings, network: Network, table: pa.RecordBatch) -> None:
    for _ in embed_task(settings, network, [table]):
        pass


def _table(pending: Sequence[PendingImage]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"image_id": [image.image_id for image in pending], "picture_key": [image.picture_key for image in pending]}
    )


def _rate(work: Callable[[], None], images: int) -> Rate:
    began_s, used_s = time.perf_counter(), time.process_time()
    work()
    return Rate(images / (time.perf_counter() - began_s), images / (time.process_time() - used_s))


def _median(rates: Sequence[Rate]) -> Rate:
    return Rate(statistics.median(rate.by_clock for rate in rates), statistics.median(rate.by_processor for rate in rates))


def main() -> None:
    """Measure in this process; the last line is one JSON object."""
    parser = ArgumentParser()
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    given = parser.parse_args()
    print(json.dumps(embedding_rates(load_settings(), images=given.images, rounds=given.rounds)), flush=True)
