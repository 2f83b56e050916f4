"""Let a trained model say what pictures show: those of a dataset version, of a folder, or under a prefix of a bucket.

Reads: the model's ONNX file; a version's pictures in the store, or the files of a place.
Writes: for a version, `network_labels`, beside the pictures' own labels, which it never changes; for a place, a file of the
likeliest labels with their scores, as CSV or Parquet, and beside it what is known so far.

Running it again goes on: what this model has tagged is passed over; a file that has changed its size is looked at anew. Files
that cannot be looked at are named in the results with the reason, and stop nothing. Pictures that look like nothing the model
learned from get no label; those of a version are looked at again. What runs in Spark's partitions is in
`tagging`.
"""

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
from pyspark.sql import SparkSession

from deep_images_hub.catalogue.datasets import version_named
from deep_images_hub.catalogue.models import TrainedModel, model_by_id
from deep_images_hub.catalogue.network_labels import untagged_count, untagged_pictures
from deep_images_hub.cli.arguments import whole_number
from deep_images_hub.errors import UnavailableError
from deep_images_hub.object_store import ObjectStat, ObjectStore
from deep_images_hub.object_store.open import open_store_at
from deep_images_hub.progress import Progress
from deep_images_hub.tagging.found_files import PassedBy, picture_files
from deep_images_hub.tagging.tag_file import Tag, TagFile, TagFileHead
from deep_images_hub.wiring import Hub
from spark_jobs.counted_tasks import run_counted
from spark_jobs.embedding import image_table
from spark_jobs.entry import run_job
from spark_jobs.following import follow
from spark_jobs.tagging import TAGS_SCHEMA, TaggingModel, tag_files, tag_images_task

# Pictures of one Spark job: their keys pass through the driver.
_PAGE_IMAGES = 50_000
_TASK_IMAGES = 256
# Files whose tags are written down together: so many are looked at again after a kill, at most.
_WAVE_FILES = 2_048
_TASK_FILES = 128
_PROBLEMS_SHOWN = 10


def tag(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Tag what the command names; returns 0."""
    with hub.engine.connect() as connection:
        model = model_by_id(connection, given.model)
    if given.version is not None:
        return _tag_version(hub, spark, model, named=given.version, top=given.top)
    source = open_store_at(given.photos, hub.settings)
    out = Path(given.out or f"tags-of-model-{model.id}.csv")
    return _tag_place(hub, spark, TaggingModel.of(model, top=given.top), source, out)


def _tag_version(hub: Hub, spark: SparkSession, model: TrainedModel, *, named: str, top: int) -> int:
    with hub.engine.connect() as connection:
        version = version_named(connection, named)
        total = untagged_count(connection, model_id=model.id, version_id=version.id)
    task = partial(tag_images_task, hub.settings, TaggingModel.of(model, top=top))
    tagged, after_id = 0, 0
    with Progress("Tagging", total=total, unit="pictures") as progress:
        while True:
            with hub.engine.connect() as connection:
                page = untagged_pictures(
                    connection, model_id=model.id, version_id=version.id, after_id=after_id, limit=_PAGE_IMAGES
                )
            if not page:
                break
            before = progress.done
            tagged += run_counted(
                spark,
                image_table(page),
                task,
                title="tags",
                key="image_id",
                task_rows=_TASK_IMAGES,
                on_progress=lambda done, before=before: progress.reach(before + done),  # type: ignore[misc]
            )
            after_id = page[-1].image_id
    with hub.engine.connect() as connection:
        # All were looked at: those that have no label still got none.
        none = untagged_count(connection, model_id=model.id, version_id=version.id)
    print(
        f"tag: model {model.id} tagged {tagged:,} pictures of {version.name}; {version.image_count - total:,} were passed over."
        + (f" {none:,} look like nothing it learned from, and got no label." if none else "")
    )
    return 0


def _tag_place(hub: Hub, spark: SparkSession, model: TaggingModel, source: ObjectStore, out: Path) -> int:
    file = TagFile(out, TagFileHead(model.onnx_sha256, source.url, model.top))
    known = {(found.path, found.size_bytes) for found in file.tags()}
    passed_by = PassedBy()
    files = list(picture_files(source, passed_by))
    waiting = [found for found in files if (found.key, found.size_bytes) not in known]
    done = spark.sparkContext.accumulator(0)
    with Progress("Tagging", total=len(waiting), unit="files") as progress:
        for start in range(0, len(waiting), _WAVE_FILES):
            wave = waiting[start : start + _WAVE_FILES]
            run = tag_files(hub.settings, source, model, done)
            tags = follow(spark, partial(_tagged, spark, wave, run), on_poll=lambda: progress.reach(done.value))
            file.add(tags)
            progress.reach(start + len(wave))
    if files:
        file.finish()
    print("\n".join(_lines(source, file, tagged=len(waiting), known=len(files) - len(waiting), passed_by=passed_by)))
    return 0


def _tagged(spark: SparkSession, files: Sequence[ObjectStat], run: object) -> list[Tag]:
    """Return the tags of some files. Raises UnavailableError when a task could not go on."""
    rows = pa.table(
        {
            "path": pa.array([file.key for file in files], pa.string()),
            "size_bytes": pa.array([file.size_bytes for file in files], pa.int64()),
        }
    )
    tasks = max(min(spark.sparkContext.defaultParallelism, len(files)), -(-len(files) // _TASK_FILES))
    frame = spark.createDataFrame(rows).repartitionByRange(tasks, "path").mapInArrow(run, TAGS_SCHEMA)  # type: ignore[arg-type]
    tags = []
    for row in frame.collect():
        if row.failure is not None:
            raise UnavailableError(row.failure)
        answers = tuple((code, name, score) for code, name, score in json.loads(row.answers))
        tags.append(Tag(row.path, row.size_bytes, answers, row.problem))
    return tags


def _lines(source: ObjectStore, file: TagFile, *, tagged: int, known: int, passed_by: PassedBy) -> list[str]:
    lines = [f"tag: {source.url}: {tagged:,} files were looked at, {known:,} had been before; see {file.path}."]
    latest = {found.path: found for found in file.tags()}
    problems = {path: found.problem for path, found in latest.items() if found.problem is not None}
    if problems:
        reasons = Counter(problem.partition(":")[0] for problem in problems.values())
        said = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
        lines.append(f"tag: {len(problems):,} files could not be looked at: {said}.")
        lines += [f"  {path}: {problem}" for path, problem in sorted(problems.items())[:_PROBLEMS_SHOWN]]
    if passed_by.no_pictures or passed_by.unusable:
        lines.append(
            f"tag: passed by: {passed_by.no_pictures:,} files that are hidden or not named like a picture, "
            f"{passed_by.unusable:,} names that cannot be read."
        )
    if none := sum(found.is_none_of_these for found in latest.values()):
        lines.append(f"tag: {none:,} files look like nothing the model learned from, and got no label.")
    return lines


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="tag", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=int, required=True, metavar="ID", help="number of the model")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--version", metavar="NAME/DIGEST", help="a dataset version; its digest, or the first digits, is enough")
    what.add_argument("--photos", metavar="PLACE", help="a folder that every executor sees, or s3://bucket/prefix")
    parser.add_argument("--top", type=whole_number(1, 100), default=5, metavar="N", help="labels of each picture (5)")
    parser.add_argument("--out", metavar="FILE", help="for --photos: results, .csv or .parquet (tags-of-model-ID.csv, here)")
    run_job(tag, parser)


if __name__ == "__main__":
    main()
