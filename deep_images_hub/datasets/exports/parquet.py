"""Parquet: a table of pictures as Hugging Face reads and writes it, `image: struct<bytes, path>` and `label: int64`.

The features, with the labels' names by class index, are in the schema's metadata. Row groups have 100 rows, so that a viewer can
show some without reading all. Nothing is compressed, since JPEG does not shrink, and pictures have no statistics: so the length
of a file follows from the lengths of its pictures.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.files import Chunk, ChunkedFile, ExportFile, sha256_of
from deep_images_hub.datasets.exports.lists import accompanying_files, picture_values

LAYOUT = """    {split}-{number}-of-{count}.parquet    one row a picture, labels mixed
        image                              bytes (JPEG, upright, RGB, short side as the hub stores it) and path
        label                              class index; its names are in the schema's metadata
        label_code, group, licence, ...    as in the columns
    labels.csv                             class index, folder, code and name of every label
    LICENSES.csv                           licences and attributions

    datasets.load_dataset("parquet", data_files={"train": "train-*.parquet"})
"""
ROWS_IN_GROUP = 100
_TEXT_COLUMNS = (
    "label_code",
    "sha256",
    "picture_sha256",
    "group",
    "licence",
    "licence_url",
    "attribution",
    "country_code",
    "city",
)
# What repeats from row to row; everything else is as long as its values are.
_REPEATED_COLUMNS = ["label", "label_code", "group", "licence", "licence_url", "attribution", "country_code", "city"]


class Parquet:
    """Parquet files."""

    name = "parquet"
    title = "Parquet"
    summary = "Tables with the pictures inside, for Hugging Face and data frames"
    has_pictures = True
    # Its writer names itself in every file.
    revision = f"1-{pa.__version__}"

    def files(self, export: Export) -> list[ExportFile]:
        """Return the files of every split, and what accompanies them."""
        tables: list[ExportFile] = [
            ChunkedFile(
                name=f"{split}-{number:05d}-of-{export.shard_count(split):05d}.parquet",
                media_type="application/vnd.apache.parquet",
                image_count=export.images_in_shard(split),
                chunks=_chunks(export, split, number),
                store=export.store,
            )
            for split in export.splits
            for number in range(export.shard_count(split))
        ]
        return [*tables, *accompanying_files(export, LAYOUT)]

    def python(self, export: Export) -> str:
        """Return how they are loaded."""
        files = json.dumps({split: f"{split}-*.parquet" for split in export.splits})
        return f'import datasets\n\npictures = datasets.load_dataset("parquet", data_files={files})'


def _chunks(export: Export, split: str, number: int) -> Callable[[], Iterator[Chunk]]:
    pictures = cache(partial(export.shard, split, number))

    def chunks() -> Iterator[Chunk]:
        schema = _schema(export)
        sink = _Sink()
        writer = pq.ParquetWriter(
            sink,
            schema,
            compression="none",
            use_dictionary=_REPEATED_COLUMNS,
            write_statistics=_REPEATED_COLUMNS,
        )

        def group(of: Sequence[VersionPicture], bodies: Sequence[bytes]) -> bytes:
            writer.write_table(_table(export, schema, of, bodies), row_group_size=ROWS_IN_GROUP)
            return sink.take()

        def end(_: Sequence[bytes]) -> bytes:
            writer.close()
            return sink.take()

        rows = pictures()
        for first in range(0, len(rows), ROWS_IN_GROUP):
            of = rows[first : first + ROWS_IN_GROUP]
            yield Chunk(of, partial(group, of))
        yield Chunk((), end)

    return chunks


def _schema(export: Export) -> pa.Schema:
    names = [export.names[code] for code in export.class_indices]
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"names": _distinct(names, list(export.class_indices)), "_type": "ClassLabel"},
        **{column: {"dtype": "string", "_type": "Value"} for column in _TEXT_COLUMNS},
        "taken_at": {"dtype": "timestamp[us, tz=UTC]", "_type": "Value"},
        "original_width": {"dtype": "int32", "_type": "Value"},
        "original_height": {"dtype": "int32", "_type": "Value"},
    }
    return pa.schema(
        [
            pa.field("image", pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])),
            pa.field("label", pa.int64()),
            *(pa.field(column, pa.string()) for column in _TEXT_COLUMNS),
            pa.field("taken_at", pa.timestamp("us", tz="UTC")),
            pa.field("original_width", pa.int32()),
            pa.field("original_height", pa.int32()),
        ],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )


def _distinct(names: Sequence[str], codes: Sequence[str]) -> list[str]:
    """Return names of which no two are the same, as Hugging Face wants them: with the code behind those that repeat."""
    times = Counter(names)
    return [f"{name} ({code})" if times[name] > 1 else name for name, code in zip(names, codes, strict=True)]


def _table(export: Export, schema: pa.Schema, pictures: Sequence[VersionPicture], bodies: Sequence[bytes]) -> pa.Table:
    rows = [picture_values(export, picture) for picture in pictures]
    columns: dict[str, list[object]] = {column: [row.get(column) for row in rows] for column in _TEXT_COLUMNS}
    columns |= {
        "label": [row["class_index"] for row in rows],
        "picture_sha256": [sha256_of(picture, body) for picture, body in zip(pictures, bodies, strict=True)],
        "taken_at": [picture.taken_at for picture in pictures],
        "original_width": [picture.width_px for picture in pictures],
        "original_height": [picture.height_px for picture in pictures],
    }
    paths = [f"{picture.sha256}.jpg" for picture in pictures]
    images = pa.StructArray.from_arrays(
        [pa.array(bodies, pa.binary()), pa.array(paths, pa.string())], fields=list(schema.field("image").type)
    )
    arrays = [images if field.name == "image" else pa.array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


class _Sink:
    """What the writer writes into: a file that cannot seek, emptied by whoever sends it on."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._position = 0
        self.closed = False

    def write(self, block: Any) -> int:
        self._blocks.append(bytes(block))
        self._position += len(self._blocks[-1])
        return len(self._blocks[-1])

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Do nothing: there is nothing behind us to flush to."""

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def take(self) -> bytes:
        blocks, self._blocks = self._blocks, []
        return b"".join(blocks)
