"""How work on batches is cut for Spark: into portions (ranges of positions of one batch), and these into tasks, in order."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from deep_images_hub.catalogue.batches import PendingBatch

# (batch id, first position, last position)
Portion = tuple[int, int, int]

# Objects that are decided, flushed and staged together: enough to be worth a query, a COPY and a wait for the disk.
CHUNK_OBJECTS = 64
# Objects of one Spark task: enough to be worth its start, few enough to keep every core busy to the end.
TASK_OBJECTS = 256


def portions_of(batches: Iterable[PendingBatch]) -> list[Portion]:
    """Cut batches into portions of at most CHUNK_OBJECTS."""
    return [
        (batch.id, first, min(first + CHUNK_OBJECTS, batch.submitted_count) - 1)
        for batch in batches
        for first in range(0, batch.submitted_count, CHUNK_OBJECTS)
    ]


def chunks_of(portions: Iterable[Portion]) -> Iterator[list[Portion]]:
    """Gather neighbouring portions, so that many tiny batches are handled like a large one."""
    chunk: list[Portion] = []
    objects = 0
    for portion in portions:
        size = portion[2] - portion[1] + 1
        if chunk and objects + size > CHUNK_OBJECTS:
            yield chunk
            chunk, objects = [], 0
        chunk.append(portion)
        objects += size
    if chunk:
        yield chunk


def portions_frame(spark: SparkSession, portions: Sequence[Portion]) -> DataFrame:
    """Return the portions as (number, batch_id, first_position, last_position), in tasks that keep their order.

    Tasks start in that order too, so that the batches with the lowest ids are decided first and can be merged.
    """
    objects = sum(last - first + 1 for _, first, last in portions)
    batch_ids, firsts, lasts = zip(*portions, strict=True)
    table = pa.table(
        {
            "number": pa.array(range(len(portions)), pa.int64()),
            "batch_id": pa.array(batch_ids, pa.int64()),
            "first_position": pa.array(firsts, pa.int32()),
            "last_position": pa.array(lasts, pa.int32()),
        }
    )
    tasks = max(1, min(len(portions), max(spark.sparkContext.defaultParallelism, -(-objects // TASK_OBJECTS))))
    return spark.createDataFrame(table).repartitionByRange(tasks, "number")
