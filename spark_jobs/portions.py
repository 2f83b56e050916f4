"""How work on batches is cut for Spark: into portions (ranges of positions of one batch), and these into tasks, in order."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from deep_images_hub.catalogue.batches import PendingBatch

# (batch id, first position, last position)
Portion = tuple[int, int, int]

# Objects that are decided, flushed and staged together: enough to be worth a query, a COPY and a wait for the disk.
CHUNK_OBJECTS = 64
# Objects of one Spark task, at most, and at least but for the last one: enough to be worth its start.
TASK_OBJECTS = 256
_LEAST_TASK_OBJECTS = CHUNK_OBJECTS // 2
# A task is no larger than its share if what is left were dealt out to every core so often. So tasks become smaller towards the
# end, and no core waits long for the last one of another ("guided self-scheduling", Polychronopoulos and Kuck 1987).
_SHARES_PER_CORE = 2


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
        size = _objects_in(portion)
        if chunk and objects + size > CHUNK_OBJECTS:
            yield chunk
            chunk, objects = [], 0
        chunk.append(portion)
        objects += size
    if chunk:
        yield chunk


def tasks_of(portions: Iterable[Portion], *, parallelism: int) -> list[list[Portion]]:
    """Deal portions out to tasks, in order, by how many objects they hold: a large batch beside tiny ones keeps no core waiting.

    Args:
        parallelism: tasks that run at once. Where there is little to do, there are still some for each.
    """
    waiting = list(portions)
    left = sum(_objects_in(portion) for portion in waiting)
    tasks: list[list[Portion]] = []
    room = 0
    for portion in waiting:
        if room <= 0:
            tasks.append([])
            room = min(TASK_OBJECTS, max(_LEAST_TASK_OBJECTS, left // (_SHARES_PER_CORE * parallelism)))
        tasks[-1].append(portion)
        room -= _objects_in(portion)
        left -= _objects_in(portion)
    return tasks


def tasks_frame(spark: SparkSession, tasks: Sequence[Sequence[Portion]]) -> DataFrame:
    """Return tasks as (number, batch_ids, first_positions, last_positions), a row and a partition for each, in order.

    They start in that order too, so that the batches with the lowest ids are decided first and can be merged.
    """
    columns = [tuple(zip(*task, strict=True)) for task in tasks]
    table = pa.table(
        {
            "number": pa.array(range(len(tasks)), pa.int64()),
            "batch_ids": pa.array([column[0] for column in columns], pa.list_(pa.int64())),
            "first_positions": pa.array([column[1] for column in columns], pa.list_(pa.int32())),
            "last_positions": pa.array([column[2] for column in columns], pa.list_(pa.int32())),
        }
    )
    return spark.createDataFrame(table).repartitionByRange(len(tasks), "number")


def portions_in(table: pa.RecordBatch) -> Iterator[Portion]:
    """Yield the portions of some rows of `tasks_frame`, in order."""
    for row in table.to_pylist():
        yield from zip(row["batch_ids"], row["first_positions"], row["last_positions"], strict=True)


def _objects_in(portion: Portion) -> int:
    return portion[2] - portion[1] + 1
