"""The formats of exports, by name, in the order in which people choose."""

from collections.abc import Sequence
from typing import Protocol

from deep_images_hub.datasets.exports.coco import Coco
from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.files import ExportFile
from deep_images_hub.datasets.exports.image_folder import ImageFolder
from deep_images_hub.datasets.exports.parquet import Parquet
from deep_images_hub.datasets.exports.picture_list import PictureList
from deep_images_hub.datasets.exports.tfrecord import TFRecord
from deep_images_hub.datasets.exports.webdataset import WebDataset
from deep_images_hub.errors import NotFoundError


class ExportFormat(Protocol):
    """How an export becomes files. It has no state."""

    @property
    def name(self) -> str:
        """What addresses call it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def summary(self) -> str:
        """What it is, in half a sentence."""
        ...

    @property
    def has_pictures(self) -> bool:
        """Whether the pictures are in it, or only what is said of them."""
        ...

    @property
    def revision(self) -> str:
        """Another one means that the same pictures may become other bytes."""
        ...

    def files(self, export: Export) -> Sequence[ExportFile]:
        """Return the files of an export, the pictures first. It reads no picture."""
        ...

    def python(self, export: Export) -> str:
        """Return the lines of Python that load the files, once they are in the working directory."""
        ...


FORMATS: dict[str, ExportFormat] = {
    of.name: of for of in (ImageFolder(), WebDataset(), Parquet(), TFRecord(), Coco(), PictureList())
}


def format_by_name(name: str) -> ExportFormat:
    """Return a format. Raises NotFoundError."""
    if name not in FORMATS:
        raise NotFoundError(f"There is no format {name[:40]!r}. There are: {', '.join(FORMATS)}.")
    return FORMATS[name]


def file_by_name(files: Sequence[ExportFile], name: str) -> ExportFile:
    """Return a file of an export. Raises NotFoundError."""
    for file in files:
        if file.name == name:
            return file
    raise NotFoundError(
        f"This export has no file {name[:120]!r}. It has {len(files)}, the first is {files[0].name!r}. Its page lists them all."
    )
