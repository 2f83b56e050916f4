"""Lists without pictures: CSV, and the very text that a version's digest is the sha256 of."""

import itertools
from collections.abc import Iterator

from deep_images_hub.datasets.content import DIGEST_HEADER, content_line
from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.files import ExportFile
from deep_images_hub.datasets.exports.lists import (
    CSV_TYPE,
    PICTURE_COLUMNS,
    accompanying_files,
    csv_blocks,
    list_file,
    picture_values,
)

PICTURES_CSV = "pictures.csv"
CONTENT = "content.txt"
_LINES_IN_BLOCK = 1_000
LAYOUT = """    pictures.csv     one row a picture: split, label, group, licence, attribution, time, place, size; file_name is the
                     picture's path in the ImageFolder zip of the same part
    content.txt      what the digest is the sha256 of
    labels.csv       class index, folder, code and name of every label
    LICENSES.csv     licences and attributions
"""


class PictureList:
    """Metadata only."""

    name = "csv"
    title = "CSV"
    summary = "Lists without pictures: metadata only"
    has_pictures = False
    revision = "1"

    def files(self, export: Export) -> list[ExportFile]:
        """Return the list of pictures and, of a whole version, what its digest is the sha256 of."""
        images = export.image_counts.total()
        found: list[ExportFile] = [list_file(export, PICTURES_CSV, CSV_TYPE, lambda: _pictures_csv(export), images)]
        if export.part.is_whole:
            found.append(list_file(export, CONTENT, "text/plain; charset=utf-8", lambda: _content(export), images))
        return [*found, *accompanying_files(export, LAYOUT)]

    def python(self, _export: Export) -> str:
        """Return how the list is loaded."""
        return f'import pandas\n\npictures = pandas.read_csv("{PICTURES_CSV}")'


def _pictures_csv(export: Export) -> Iterator[bytes]:
    rows = (
        (
            f"{split}/{file_name}",
            split,
            *picture_values(export, picture).values(),
            picture.picture_size_bytes,
            picture.width_px,
            picture.height_px,
        )
        for split in export.splits
        for file_name, picture in export.named(split)
    )
    header = ("file_name", "split", *PICTURE_COLUMNS, "picture_size_bytes", "original_width", "original_height")
    return csv_blocks(header, rows)


def _content(export: Export) -> Iterator[bytes]:
    lines = (
        content_line(sha256=of.sha256, label_code=of.label_code, split=of.split, group_key=of.group_key)
        for of in export.source.in_order(None, None)
    )
    yield DIGEST_HEADER.encode()
    while block := "".join(itertools.islice(lines, _LINES_IN_BLOCK)):
        yield block.encode()
