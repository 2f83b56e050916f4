"""Find the near-duplicates among pictures that were taken in before the hub looked for any.

Reads: pictures without a descriptor, their stored JPEGs.
Writes: `descriptors`; then, for accepted pictures that were never compared, `duplicate_groups` and verdicts of `near_duplicates`.

Running it twice changes nothing, and killed anywhere it goes on where it was. Intake may run meanwhile: it describes and compares
what is new itself. A picture is flagged as a near-duplicate of one that was compared before it, be that younger; groups are the
same in whatever order.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NoReturn

import pyarrow as pa
from pyspark.sql import SparkSession
from sqlalchemy import Engine

from deep_images_hub.catalogue.descriptors import (
    add_descriptors,
    uncompared_submissions,
    undescribed_count,
    undescribed_images,
)
from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.catalogue.near_duplicates import compare_accepted
from deep_images_hub.errors import NotFoundError
from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.descriptor import Descriptor, describe
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.open import open_store
from deep_images_hub.progress import Progress
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub
from spark_jobs.counted_tasks import run_counted
from spark_jobs.entry import run_job

# Pictures of one Spark job: their keys pass through the driver.
_PAGE_IMAGES = 50_000
_TASK_IMAGES = 1_000
_READ_THREADS = 4
# Pictures that are compared in one transaction, while which nobody else's can be.
_COMPARED_TOGETHER = 200


def describe_pictures(hub: Hub, _given: Namespace, spark: SparkSession) -> int:
    """Describe and compare what never was. Returns 1 when stored pictures are missing or damaged, else 0."""
    described = _describe_all(hub, spark)
    compared, near = _compare_all(hub.engine)
    print(f"describe: {described:,} pictures described; {compared:,} compared, {near:,} of them near-duplicates.")
    with hub.engine.connect() as connection:
        left = undescribed_count(connection)
    if left:
        print(
            f"describe: {left:,} stored pictures are missing or damaged. Restore them from the store's backup (`sweep` names "
            "those that are missing), then run this again."
        )
    return 1 if left else 0


def _describe_all(hub: Hub, spark: SparkSession) -> int:
    with hub.engine.connect() as connection:
        total = undescribed_count(connection)
    described, seen, after_id = 0, 0, 0
    with Progress("Describing", total=total, unit="pictures") as progress:
        while True:
            with hub.engine.connect() as connection:
                page = undescribed_images(connection, after_id=after_id, limit=_PAGE_IMAGES)
            if not page:
                return described
            rows = pa.table(
                {
                    "image_id": pa.array([image.image_id for image in page], pa.int64()),
                    "picture_key": pa.array([image.picture_key for image in page], pa.string()),
                }
            )
            described += run_counted(
                spark,
                rows,
                partial(_describe_task, hub.settings),
                title="descriptors",
                key="image_id",
                task_rows=_TASK_IMAGES,
                on_progress=partial(_reach, progress, seen),
            )
            seen += len(page)
            after_id = page[-1].image_id


def _reach(progress: Progress, before: int, done: int) -> None:
    progress.reach(before + done)


def _describe_task(settings: Settings, tables: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """Describe the pictures of one task; yields how many were new, table by table."""
    engine, store = open_engine(settings), open_store(settings)
    with ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="describing") as pool:
        for table in tables:
            image_ids, keys = (table.column(name).to_pylist() for name in ("image_id", "picture_key"))
            found = zip(image_ids, pool.map(partial(_descriptor, store, settings), keys), strict=True)
            with engine.begin() as connection:
                yield add_descriptors(connection, found=[(image_id, one) for image_id, one in found if one is not None])
    engine.dispose()


def _descriptor(store: ObjectStore, settings: Settings, key: str) -> Descriptor | None:
    """Return the descriptor of a stored picture; None where it is missing or damaged."""
    try:
        body = store.read(key)
    except NotFoundError:
        return None
    photograph = decode(body, max_pixels=settings.max_pixels, short_side_px=settings.image_side_px)
    return None if isinstance(photograph, Refusal) else describe(photograph.picture)


def _compare_all(engine: Engine) -> tuple[int, int]:
    """Compare accepted pictures that never were, and return how many, and how many of them are near-duplicates."""
    compared, near, after_id = 0, 0, 0
    with Progress("Comparing", total=None, unit="pictures") as progress:
        while True:
            with engine.begin() as connection:
                page = uncompared_submissions(connection, after_id=after_id, limit=_COMPARED_TOGETHER)
                if not page:
                    return compared, near
                near += compare_accepted(connection, submission_ids=page)
            compared += len(page)
            after_id = page[-1]
            progress.reach(compared)


def main() -> NoReturn:
    """Read the command line and run the job."""
    run_job(describe_pictures, ArgumentParser(prog="describe", description=__doc__.partition("\n")[0]))


if __name__ == "__main__":
    main()
