"""The part of intake that runs in Spark's partitions: ranges of positions in, problems out; the bytes stay in Python."""

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import pyarrow as pa
from sqlalchemy import Engine

from deep_images_hub.batches.decide import Decision, decide, keep_stored
from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.catalogue.intake import pending_submissions, stage_decisions
from deep_images_hub.catalogue.object_keys import hold_off_sweeps
from deep_images_hub.errors import HubError
from deep_images_hub.images.examine import limits_from_settings
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.open import open_store
from deep_images_hub.settings import Settings
from spark_jobs.portions import Portion, chunks_of, portions_in

PROBLEMS_SCHEMA = "problem string"


def decide_portions(settings: Settings, attempt: int) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow` over `portions.tasks_frame`.

    It decides on the portions' submissions, stores pictures and stages the decisions. A task that Spark runs twice is harmless.
    There is a row only for a task that gave up, and why: the catalogue cannot be reached.
    """

    def run(tables: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        portions = (portion for table in tables for portion in portions_in(table))
        try:
            engine, store = _opened(settings)
            decided = (_decided(chunk, engine, store, settings, attempt) for chunk in chunks_of(portions))
            _keep_each(decided, engine, store, attempt)
        except HubError as error:
            yield pa.RecordBatch.from_pydict({"problem": pa.array([str(error)], pa.string())})

    return run


def _decided(chunk: list[Portion], engine: Engine, store: ObjectStore, settings: Settings, attempt: int) -> list[Decision]:
    with engine.begin() as connection:
        submissions = pending_submissions(connection, attempt=attempt, portions=chunk)
    return decide(submissions, store=store, limits=limits_from_settings(settings))


def _keep_each(chunks: Iterable[list[Decision]], engine: Engine, store: ObjectStore, attempt: int) -> None:
    """Make each chunk of decisions last while the next one is decided: the disk and the database are waited for by a thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="staging") as background:
        keeping: Future[None] | None = None
        for decisions in chunks:
            if keeping is not None:
                keeping.result()
            keeping = background.submit(_keep, decisions, engine, store, attempt)
        if keeping is not None:
            keeping.result()


def _keep(decisions: list[Decision], engine: Engine, store: ObjectStore, attempt: int) -> None:
    store.flush()
    with engine.begin() as connection:
        hold_off_sweeps(connection)
        stage_decisions(connection, attempt=attempt, decisions=keep_stored(decisions, store))


@cache
def _opened(settings: Settings) -> tuple[Engine, ObjectStore]:
    """Open catalogue and store once a Python worker, which Spark uses for many tasks."""
    opened = open_engine(settings), open_store(settings)
    # After each task Spark lets Python look for garbage among all that there is. What is imported is none, and is most of it.
    gc.freeze()
    return opened
