"""The part of intake that runs in Spark's partitions: ranges of positions in, problems out; the bytes stay in Python."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache

import pyarrow as pa
from sqlalchemy import Engine

from deep_images_hub.batches.decide import decide, keep_stored
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
            for chunk in chunks_of(portions):
                _decide_chunk(chunk, engine, store, settings, attempt)
        except HubError as error:
            yield pa.RecordBatch.from_pydict({"problem": pa.array([str(error)], pa.string())})

    return run


def _decide_chunk(chunk: list[Portion], engine: Engine, store: ObjectStore, settings: Settings, attempt: int) -> None:
    with engine.begin() as connection:
        submissions = pending_submissions(connection, attempt=attempt, portions=chunk)
    decisions = decide(submissions, store=store, limits=limits_from_settings(settings))
    with engine.begin() as connection:
        hold_off_sweeps(connection)
        stage_decisions(connection, attempt=attempt, decisions=keep_stored(decisions, store))


@cache
def _opened(settings: Settings) -> tuple[Engine, ObjectStore]:
    """Open catalogue and store once a Python worker, which Spark uses for many tasks."""
    return open_engine(settings), open_store(settings)
