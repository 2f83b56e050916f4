"""COCO: a JSON file for each split, for tools that read nothing else. The pictures are those of the ImageFolder zip.

A picture of the hub has one label and no boxes. Since tools for COCO ask for one, each picture has one annotation whose box is
all of it, and the file says so.
"""

import io
import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from PIL import Image

from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.files import BlankPicture, Chunk, ChunkedFile, ExportFile
from deep_images_hub.datasets.exports.lists import accompanying_files
from deep_images_hub.licences import LICENCE_URLS, LICENCES

LAYOUT = """    instances_{split}.json    images, categories, licences, annotations
    labels.csv                class index, folder, code and name of every label
    LICENSES.csv              licences and attributions

    pycocotools.coco.COCO("instances_train.json")

`file_name` is the picture's path in the ImageFolder zip of the same part. Category ids are class indices plus 1.
Boxes are of whole pictures: a picture has one label, and nobody drew where.
"""
_ABOUT = "One label a picture; each box is that of the whole picture, nobody drew it."


class Coco:
    """Annotations as JSON."""

    name = "coco"
    title = "COCO"
    summary = "Annotations as JSON, for the pictures of the ImageFolder zip"
    has_pictures = False
    revision = "1"

    def files(self, export: Export) -> list[ExportFile]:
        """Return the annotations of every split, and what accompanies them."""
        annotations: list[ExportFile] = [
            ChunkedFile(
                name=f"instances_{split}.json",
                media_type="application/json",
                image_count=export.image_counts[split],
                chunks=_chunks(export, split),
                store=export.store,
                # Boxes come long after the pictures that they are read from.
                is_seekable=False,
            )
            for split in export.splits
        ]
        return [*annotations, *accompanying_files(export, LAYOUT)]

    def python(self, export: Export) -> str:
        """Return how the annotations of a split are loaded."""
        return f'from pycocotools.coco import COCO\n\nannotations = COCO("instances_{export.splits[0]}.json")'


def _chunks(export: Export, split: str) -> Callable[[], Iterator[Chunk]]:
    def chunks() -> Iterator[Chunk]:
        # Width and height of each picture, four bytes for all that has to be kept of it.
        sides_px = array("H")
        yield _text(_head(export))
        for number, (file_name, picture) in enumerate(export.named(split)):
            yield Chunk((picture,), partial(_image, f"{split}/{file_name}", picture, number, sides_px))
        yield _text('],"annotations":[')
        for number, (_, picture) in enumerate(export.named(split)):
            yield Chunk((), partial(_annotation, export.class_indices[picture.label_code] + 1, number, sides_px))
        yield _text("]}\n")

    return chunks


def _head(export: Export) -> str:
    head = {
        "info": {
            "description": f"{export.version.name}. {_ABOUT}",
            "version": export.version.digest,
            "contributor": "Deep Images Hub",
        },
        "licenses": [{"id": number, "name": of, "url": LICENCE_URLS[of]} for number, of in enumerate(LICENCES, start=1)],
        "categories": [
            {"id": index + 1, "name": export.names[code], "supercategory": "", "code": code}
            for code, index in export.class_indices.items()
        ],
    }
    return json.dumps(head, separators=(",", ":"))[:-1] + ',"images":['


def _image(file_name: str, picture: VersionPicture, number: int, sides_px: "array[int]", bodies: Sequence[bytes]) -> bytes:
    (body,) = bodies
    width_px, height_px = (0, 0) if isinstance(body, BlankPicture) else Image.open(io.BytesIO(body)).size
    sides_px.extend((width_px, height_px))
    fields = {
        "id": number + 1,
        "file_name": file_name,
        "license": LICENCES.index(picture.licence) + 1,
        "sha256": picture.sha256,
        "attribution": picture.attribution,
        "date_captured": picture.taken_at.isoformat() if picture.taken_at else None,
    }
    # Numbers of one width, so that the length of the file does not depend on them.
    sides = f'"width":{width_px:5d},"height":{height_px:5d},'
    return _comma(number) + ("{" + sides + json.dumps(fields, separators=(",", ":"))[1:]).encode()


def _annotation(category_id: int, number: int, sides_px: "array[int]", _bodies: Sequence[bytes]) -> bytes:
    width_px, height_px = sides_px[2 * number : 2 * number + 2]
    return (
        _comma(number)
        + (
            f'{{"id":{number + 1},"image_id":{number + 1},"category_id":{category_id},'
            f'"bbox":[0,0,{width_px:5d},{height_px:5d}],"area":{width_px * height_px:10d},"iscrowd":0}}'
        ).encode()
    )


def _comma(number: int) -> bytes:
    return b",\n" if number else b"\n"


def _text(text: str) -> Chunk:
    return Chunk((), lambda _: text.encode())
