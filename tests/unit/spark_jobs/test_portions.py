"""How work on batches is dealt out to Spark's tasks."""

from itertools import chain

import pytest

from deep_images_hub.catalogue.batches import PendingBatch
from spark_jobs.portions import CHUNK_OBJECTS, TASK_OBJECTS, Portion, chunks_of, portions_of, tasks_of

SKEWED = [5_000, *[3] * 100]


def batches(sizes: list[int]) -> list[PendingBatch]:
    return [
        PendingBatch(id=number, key=f"b{number}", label_id=1, supplier_id=1, submitted_count=size)
        for number, size in enumerate(sizes, start=1)
    ]


def objects_in(portions: list[Portion]) -> int:
    return sum(last - first + 1 for _, first, last in portions)


@pytest.mark.parametrize("sizes", [SKEWED, SKEWED[::-1], [1], [64, 65], [3] * 1_000, [450, *[3] * 17]])
@pytest.mark.parametrize("parallelism", [1, 2, 16])
def test_tasks_hold_every_portion_once_in_order_and_become_smaller_towards_the_end(sizes: list[int], parallelism: int) -> None:
    portions = portions_of(batches(sizes))
    tasks = tasks_of(portions, parallelism=parallelism)
    assert list(chain.from_iterable(tasks)) == portions
    left = sum(sizes)
    for task in tasks[:-1]:
        share = min(TASK_OBJECTS, max(CHUNK_OBJECTS // 2, left // (2 * parallelism)))
        assert share <= objects_in(task) < share + CHUNK_OBJECTS
        left -= objects_in(task)
    if sum(sizes) >= 8 * parallelism * CHUNK_OBJECTS:
        assert objects_in(tasks[-1]) <= CHUNK_OBJECTS


def test_tiny_batches_are_decided_in_chunks_like_a_large_one() -> None:
    (task,) = tasks_of(portions_of(batches([3] * 60)), parallelism=1)[:1]
    chunks = list(chunks_of(task))
    assert objects_in(chunks[0]) > CHUNK_OBJECTS - 3
    assert max(map(objects_in, chunks)) <= CHUNK_OBJECTS
