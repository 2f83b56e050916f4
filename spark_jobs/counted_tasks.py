"""Run a function over rows on Spark, where what it makes stays with the tasks: back come counts, or why a task gave up."""

import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from pyspark import SparkContext
from pyspark.sql import SparkSession

from deep_images_hub.errors import HubError, UnavailableError

_POLL_S = 0.3
_COUNT_SCHEMA = "done long, problem string"

# Gets a task's rows and yields how many of something are done, again and again. Raises HubError where it cannot go on.
CountedTask = Callable[[Iterable[pa.RecordBatch]], Iterator[int]]


def run_counted(
    spark: SparkSession,
    rows: pa.Table,
    task: CountedTask,
    *,
    title: str,
    key: str,
    task_rows: int,
    on_progress: Callable[[int], None],
) -> int:
    """Run a task over rows in parts, and return the sum of what the tasks counted.

    Args:
        rows: not empty.
        title: what Spark's own pages call it.
        key: column by whose ranges the rows are parted.
        task_rows: rows of one task: enough to be worth its start, few enough that all cores end together.
        on_progress: is told now and then how many rows are done.

    Raises:
        UnavailableError: a task could not go on.
    """
    group = f"{title}-{uuid.uuid4()}"
    tasks = max(min(spark.sparkContext.defaultParallelism, len(rows)), math.ceil(len(rows) / task_rows))

    def run() -> list[Any]:
        spark.sparkContext.setJobGroup(group, title, interruptOnCancel=True)
        return spark.createDataFrame(rows).repartitionByRange(tasks, key).mapInArrow(_reporting(task), _COUNT_SCHEMA).collect()

    with ThreadPoolExecutor(1, thread_name_prefix=title) as background:
        counting, share = background.submit(run), 0.0
        try:
            while not counting.done():
                time.sleep(_POLL_S)
                share = max(share, _done_share(spark.sparkContext, group, tasks))
                on_progress(math.floor(share * len(rows)))
        finally:
            # After a Ctrl-C: what is done stays, the rest is given up.
            if not counting.done():
                spark.sparkContext.cancelJobGroup(group)
        counts = counting.result()
    for count in counts:
        if count.problem is not None:
            raise UnavailableError(count.problem)
    on_progress(len(rows))
    return sum(count.done for count in counts)


def _reporting(task: CountedTask) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: one row a task, how many were done, or why it gave up."""

    def run(tables: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        done, problem = 0, None
        try:
            for count in task(tables):
                done += count
        except HubError as error:
            problem = str(error)
        yield pa.RecordBatch.from_pydict({"done": pa.array([done], pa.int64()), "problem": pa.array([problem], pa.string())})

    return run


def _done_share(context: SparkContext, group: str, tasks: int) -> float:
    """Return how much of a group's last stage is done, 0..1: the jobs and stages before it only spread the rows."""
    tracker = context.statusTracker()
    infos = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [stage for info in infos if info is not None and info.status == "RUNNING" for stage in info.stageIds]
    last = tracker.getStageInfo(max(stages)) if stages else None
    return last.numCompletedTasks / tasks if last is not None and last.numTasks == tasks else 0.0
