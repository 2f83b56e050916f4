"""Tag pictures on Spark's partitions: the model is opened once a Python worker, pictures go through it in batches."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark import Accumulator

from deep_images_hub.catalogue.models import TrainedModel
from deep_images_hub.catalogue.network_labels import NetworkLabel, add_network_labels
from deep_images_hub.errors import DeniedError, HubError, NotFoundError
from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.network_input import network_input
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.predictions import Classifier, verified_classifier
from deep_images_hub.settings import Settings
from deep_images_hub.tagging.tag_file import Tag
from spark_jobs.embedding import image_chunks, keys_of, opened
from spark_jobs.stored_pictures import read_ahead, read_picture

TAGS_SCHEMA = "path string, size_bytes long, answers string, problem string, failure string"
# No photograph: it would fill an executor's memory.
_MAX_FILE_BYTES = 256 << 20


@dataclass(frozen=True)
class TaggingModel:
    """The model that tags, as executors get to know it. top: labels of each picture."""

    model_id: int
    onnx_key: str
    onnx_sha256: str
    top: int

    @classmethod
    def of(cls, model: TrainedModel, *, top: int) -> "TaggingModel":
        """Take a model of the catalogue. Raises NotFoundError where it has no ONNX file."""
        file = model.file("onnx")
        return cls(model.id, file.key, file.sha256, min(top, len(model.label_codes)))


def tag_images_task(settings: Settings, model: TaggingModel, tables: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """Tag stored pictures and write what is said into the catalogue; yields how many were new, chunk by chunk.

    Nothing is written of a picture that the model takes for none of its labels.
    """
    engine, store = opened(settings)
    classifier = _opened_classifier(settings, model)
    read = partial(read_picture, store, settings, classifier.side_px)
    for chunk, pictures in read_ahead(read, image_chunks(tables, settings.feature_batch_size), keys_of):
        best, scores, is_none = classifier.likeliest(pictures, limit=model.top)
        said = [
            NetworkLabel(image.image_id, indexes, shares)
            for image, indexes, shares, none in zip(chunk, best.tolist(), scores.tolist(), is_none, strict=True)
            if not none
        ]
        with engine.begin() as connection:
            yield add_network_labels(connection, model_id=model.model_id, said=said)


def tag_files(
    settings: Settings, source: ObjectStore, model: TaggingModel, done: "Accumulator[int]"
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow` over rows of `path` and `size_bytes`: it gives a row of TAGS_SCHEMA for each.

    Where the place or the model cannot be reached, there is one with a `failure`, and the task ends.
    """

    def run(tables: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            classifier = _opened_classifier(settings, model)
            for files in _file_chunks(tables, settings.feature_batch_size):
                tags = _tag_chunk(settings, source, classifier, model.top, files)
                yield _rows(tags)
                done.add(len(tags))
        except HubError as error:
            yield _rows([], failure=str(error))

    return run


def _tag_chunk(
    settings: Settings, source: ObjectStore, classifier: Classifier, top: int, files: Sequence[tuple[str, int]]
) -> list[Tag]:
    found = [_look_at(settings, source, classifier.side_px, path, size_bytes) for path, size_bytes in files]
    pictures = [picture for picture in found if not isinstance(picture, str)]
    answers: Iterator[tuple[tuple[str, str, float], ...]] = iter(())
    if pictures:
        best, scores, is_none = classifier.likeliest(np.stack(pictures), limit=top)
        answers = (
            ()
            if none
            else tuple((*classifier.labels[index], round(score, 4)) for index, score in zip(indexes, shares, strict=True))
            for indexes, shares, none in zip(best.tolist(), scores.tolist(), is_none, strict=True)
        )
    return [
        Tag(path, size_bytes, (), problem=picture) if isinstance(picture, str) else Tag(path, size_bytes, next(answers))
        for (path, size_bytes), picture in zip(files, found, strict=True)
    ]


def _look_at(settings: Settings, source: ObjectStore, side_px: int, path: str, size_bytes: int) -> NDArray[np.uint8] | str:
    """Return a file as the model takes it, (side_px, side_px, 3), or why it cannot be looked at."""
    if size_bytes > _MAX_FILE_BYTES:
        return f"too_large: The file has {size_bytes:,} bytes; at most {_MAX_FILE_BYTES:,} are read."
    try:
        body = source.read(path)
    except NotFoundError:
        return "missing: It was there when the place was listed, and is gone."
    except DeniedError as error:
        return f"denied: {error}"
    photograph = decode(body, max_pixels=settings.max_pixels, short_side_px=settings.image_side_px)
    if isinstance(photograph, Refusal):
        return f"{photograph.reason}: {photograph.detail}"
    return network_input(photograph.picture, side_px)


def _file_chunks(tables: Iterable[pa.RecordBatch], size: int) -> Iterator[list[tuple[str, int]]]:
    for table in tables:
        files = list(zip(table.column("path").to_pylist(), table.column("size_bytes").to_pylist(), strict=True))
        yield from (files[start : start + size] for start in range(0, len(files), size))


def _rows(tags: Sequence[Tag], failure: str | None = None) -> pa.RecordBatch:
    failed = [] if failure is None else [failure]
    return pa.RecordBatch.from_pydict(
        {
            "path": pa.array([*(tag.path for tag in tags), *("" for _ in failed)], pa.string()),
            "size_bytes": pa.array([*(tag.size_bytes for tag in tags), *(0 for _ in failed)], pa.int64()),
            "answers": pa.array([*(json.dumps(tag.answers) for tag in tags), *("[]" for _ in failed)], pa.string()),
            "problem": pa.array([*(tag.problem for tag in tags), *(None for _ in failed)], pa.string()),
            "failure": pa.array([*(None for _ in tags), *failed], pa.string()),
        }
    )


@lru_cache(maxsize=1)
def _opened_classifier(settings: Settings, model: TaggingModel) -> Classifier:
    """Open the model once a Python worker, which Spark uses for many tasks; each worker has a core of its own."""
    _, store = opened(settings)
    return verified_classifier(store, key=model.onnx_key, sha256=model.onnx_sha256, threads=1)
