"""Run work of Spark in the background, so that somebody can watch it and a Ctrl-C ends it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from pyspark.sql import SparkSession

_POLL_S = 0.2

_Result = TypeVar("_Result")


def follow(spark: SparkSession, work: Callable[[], _Result], *, on_poll: Callable[[], None]) -> _Result:
    """Return what the work returns, calling `on_poll` now and then meanwhile. Left early, it cancels Spark's jobs."""
    with ThreadPoolExecutor(1, thread_name_prefix="following") as background:
        working = background.submit(work)
        try:
            while not working.done():
                on_poll()
                wait([working], timeout=_POLL_S)
        finally:
            if not working.done():
                spark.sparkContext.cancelAllJobs()
        return working.result()
