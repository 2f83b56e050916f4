"""The part of simulate_crowd that runs in Spark's partitions: planned batches in, problems out."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import pyarrow as pa
from pyspark import Accumulator
from pyspark.sql import DataFrame, SparkSession

from deep_images_hub.errors import HubError
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.open import open_store
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.crowd import PlannedBatch
from deep_images_hub.simulation.photo_sources import PhotoSource
from deep_images_hub.simulation.sending import send_batches

PROBLEMS_SCHEMA = "problem string"
_TASK_BATCHES = 16


def planned_frame(spark: SparkSession, batches: Sequence[object]) -> DataFrame:
    """Return what is to become batches, of whatever kind that pickles, as (number, batch), in tasks that keep its order."""
    table = pa.table(
        {
            "number": pa.array(range(len(batches)), pa.int64()),
            "batch": pa.array([pickle.dumps(batch) for batch in batches], pa.binary()),
        }
    )
    tasks = max(1, min(len(batches), max(spark.sparkContext.defaultParallelism, -(-len(batches) // _TASK_BATCHES))))
    return spark.createDataFrame(table).repartitionByRange(tasks, "number")


def send_planned(
    settings: Settings, source: PhotoSource, sent: "Accumulator[int]"
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow` over `planned_frame`: it stores objects and manifests.

    There is a row only for a task that gave up, and why. `sent` counts photographs, for show: tasks that ran twice count twice.
    """

    def run(tables: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store = opened_store(settings)
        for table in tables:
            # Made by planned_frame a moment ago, in the job's own driver.
            batches: list[PlannedBatch] = [pickle.loads(batch) for batch in table.column("batch").to_pylist()]  # noqa: S301
            try:
                send_batches(batches, source, store)
            except HubError as error:
                yield pa.RecordBatch.from_pydict({"problem": pa.array([str(error)], pa.string())})
                return
            sent.add(sum(len(batch.photos) for batch in batches))

    return run


@cache
def opened_store(settings: Settings) -> ObjectStore:
    """Open the store once a Python worker, which Spark uses for many tasks."""
    return open_store(settings)
