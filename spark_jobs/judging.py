"""Judge pictures' labels on Spark: ids in, verdicts into the ledger, counts out.

The known pictures are read once, by the driver, and sent to all executors: every picture of a run meets the same ones.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import SparkSession
from sqlalchemy import Connection

from deep_images_hub.catalogue.agreement import JudgedPicture, known_pictures, write_agreement
from deep_images_hub.catalogue.embeddings import Embedding, embeddings_of
from deep_images_hub.catalogue.labels import label_ids, read_graph
from deep_images_hub.images.known_pictures import Pictures, fold_of
from deep_images_hub.images.label_agreement import SeenClass
from deep_images_hub.images.label_judge import LabelJudge, judged_labels
from deep_images_hub.settings import Settings
from spark_jobs.counted_tasks import run_counted
from spark_jobs.embedding import opened

_TASK_IMAGES = 2_048
# Pictures that are compared at once: a block of 256 with 20,000 known ones takes 20 MB, a few times.
_BLOCK_IMAGES = 256
_COLUMNS = tuple(field.name for field in fields(JudgedPicture))


def label_judge(connection: Connection, settings: Settings, model: str) -> LabelJudge:
    """Gather what a judgement needs from the catalogue."""
    return LabelJudge(
        known=known_pictures(connection, model=model, max_pictures=settings.label_agreement_max_pictures),
        labels=judged_labels(read_graph(connection), label_ids(connection)),
        threshold=settings.label_agreement_threshold,
        min_pictures=settings.label_agreement_min_pictures,
    )


def judge(
    spark: SparkSession,
    settings: Settings,
    judge: "Broadcast[LabelJudge]",
    model: str,
    pictures: Sequence[JudgedPicture],
    *,
    redecision_id: int | None,
    on_progress: Callable[[int], None],
) -> int:
    """Write verdicts on pictures that have features, and return how many were new.

    Args:
        model: backbone and digest of its weights.
        pictures: not empty.
        redecision_id: where everything is judged anew, what these verdicts belong to.
        on_progress: is told now and then how many of them are done.

    Raises:
        UnavailableError: an executor could not reach the catalogue. Verdicts that were written are kept.
    """
    columns = zip(*(astuple(picture) for picture in pictures), strict=True)
    rows = pa.table(dict(zip(_COLUMNS, map(list, columns), strict=True)))
    task = partial(_judge_task, settings, judge, model, redecision_id)
    return run_counted(spark, rows, task, title="labels", key="submission_id", task_rows=_TASK_IMAGES, on_progress=on_progress)


def _judge_task(
    settings: Settings, judge: "Broadcast[LabelJudge]", model: str, redecision_id: int | None, tables: Iterable[pa.RecordBatch]
) -> Iterator[int]:
    engine, _ = opened(settings)
    for table in tables:
        for start in range(0, table.num_rows, _BLOCK_IMAGES):
            block = [JudgedPicture(**row) for row in table.slice(start, _BLOCK_IMAGES).to_pylist()]
            with engine.connect() as connection:
                embeddings = embeddings_of(connection, model=model, image_ids=[picture.image_id for picture in block])
            found = [embeddings[picture.image_id] for picture in block]
            verdicts = judge.value.verdicts(_pictures(block, found), [seen_classes(embedding) for embedding in found])
            with engine.begin() as connection:
                said = zip((picture.submission_id for picture in block), verdicts, strict=True)
                yield write_agreement(connection, verdicts=said, redecision_id=redecision_id)


def seen_classes(embedding: Embedding) -> list[SeenClass]:
    """Return the classes of ImageNet that a network took a picture for; empty where it has no classification head."""
    return [
        SeenClass(index, probability)
        for index, probability in zip(embedding.class_indexes or (), embedding.class_probabilities or (), strict=True)
    ]


def _pictures(block: Sequence[JudgedPicture], embeddings: Sequence[Embedding]) -> Pictures:
    return Pictures(
        sha256s=[picture.sha256 for picture in block],
        label_ids=np.array([picture.label_id for picture in block], np.int64),
        batch_ids=np.array([picture.batch_id for picture in block], np.int64),
        folds=np.array([fold_of(picture.batch_key) for picture in block], np.int64),
        duplicate_groups=np.array([picture.duplicate_group for picture in block], np.int64),
        features=np.stack([embedding.features for embedding in embeddings]),
    )
