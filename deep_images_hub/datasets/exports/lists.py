"""Lists that accompany an export: pictures, labels and licences as CSV, and the card. Every format has the last three."""

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC

from deep_images_hub.datasets.card import dataset_card
from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.files import Chunk, ChunkedFile
from deep_images_hub.licences import LICENCE_URLS
from deep_images_hub.spreadsheets import harmless_cell

CSV_TYPE = "text/csv; charset=utf-8"
_ROWS_IN_BLOCK = 1_000
# `csv` does not quote a text for it, and readers end a row there.
_LONE_RETURN = re.compile("\r(?!\n)")

# What `picture_values` says of a picture.
PICTURE_COLUMNS = (
    "label_code",
    "label",
    "class_index",
    "sha256",
    "group",
    "licence",
    "licence_url",
    "attribution",
    "taken_at",
    "country_code",
    "city",
)


def picture_values(export: Export, picture: VersionPicture) -> dict[str, object]:
    """Return what a download says of a picture, in the order of PICTURE_COLUMNS. None: nobody said."""
    return {
        "label_code": picture.label_code,
        "label": export.names[picture.label_code],
        "class_index": export.class_indices[picture.label_code],
        "sha256": picture.sha256,
        "group": picture.group_key,
        "licence": picture.licence,
        "licence_url": LICENCE_URLS[picture.licence],
        "attribution": picture.attribution,
        "taken_at": picture.taken_at.astimezone(UTC).isoformat() if picture.taken_at else None,
        "country_code": picture.country_code,
        "city": picture.city,
    }


def labels_csv(export: Export) -> Iterator[bytes]:
    """Yield the labels of the version with their class indices."""
    rows = ((index, export.folders[code], code, export.names[code]) for code, index in export.class_indices.items())
    return csv_blocks(("class_index", "folder", "label_code", "label"), rows)


def licences_csv(export: Export) -> Iterator[bytes]:
    """Yield the licences and attributions of the part."""
    rows = ((of.licence, LICENCE_URLS[of.licence], of.attribution, of.image_count) for of in export.attributions)
    return csv_blocks(("licence", "licence_url", "attribution", "images"), rows)


def card(export: Export, layout: str) -> bytes:
    """Return the card of the part."""
    return dataset_card(
        name=export.version.name,
        digest=export.version.digest,
        counts=export.counts,
        attributions=export.attributions,
        folders=export.folders,
        layout=layout,
        part=", ".join(f"{name} {value}" for name, value in export.part.query.items()),
        taken_down=len(export.taken_down),
    ).encode()


def accompanying_files(export: Export, layout: str) -> list[ChunkedFile]:
    """Return the card, the labels and the licences as files of their own."""
    return [
        list_file(export, "README.md", "text/markdown; charset=utf-8", lambda: iter([card(export, layout)])),
        list_file(export, "labels.csv", CSV_TYPE, lambda: labels_csv(export)),
        list_file(export, "LICENSES.csv", CSV_TYPE, lambda: licences_csv(export)),
    ]


def list_file(
    export: Export, name: str, media_type: str, blocks: Callable[[], Iterable[bytes]], image_count: int = 0
) -> ChunkedFile:
    """Return a file that needs no picture."""

    def chunks() -> Iterator[Chunk]:
        for block in blocks():
            yield Chunk((), lambda _, block=block: block)  # type: ignore[misc]

    return ChunkedFile(name, media_type, image_count, chunks, export.store)


def csv_blocks(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a CSV in blocks of many rows. Texts that a spreadsheet would take for formulas begin with an apostrophe."""
    rows = itertools.chain([header], rows)
    while block := list(itertools.islice(rows, _ROWS_IN_BLOCK)):
        text = _csv_text(block)
        if _LONE_RETURN.search(text):
            text = _csv_text([[_LONE_RETURN.sub("\n", of) if isinstance(of, str) else of for of in row] for row in block])
        yield text.encode()


def _csv_text(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(harmless_cell, row) for row in rows)
    return text.getvalue()
