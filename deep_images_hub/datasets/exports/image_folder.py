"""ImageFolder: a zip of pictures in folders, which streams from the first second and has the same bytes every time.

    {split}/{label}/{sha256}.jpg   at most 10,000 files a folder; a larger label has numbered folders within
    {split}/metadata.csv           file_name relative to it, as Hugging Face's `imagefolder` reads it
    labels.csv  LICENSES.csv  README.md  manifest.json

It loads with keras.utils.image_dataset_from_directory, torchvision's ImageFolder and `load_dataset("imagefolder")`. Every
split has every label's folder, so that class indices agree among splits and parts. Names and e-mails of suppliers are not in it,
beyond the attribution that they asked for.
"""

import hashlib
import json
import tempfile
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from typing import IO

from deep_images_hub.datasets.exports import files
from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.files import Chunk, from_byte, read_ahead, sha256_of
from deep_images_hub.datasets.exports.lists import PICTURE_COLUMNS, card, csv_blocks, labels_csv, licences_csv, picture_values
from deep_images_hub.datasets.exports.streamed_zip import Member, zip_blocks, zip_size_bytes
from deep_images_hub.datasets.slugs import file_stem, slug

# Of the manifest, so much stays in memory.
_IN_MEMORY_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 18
_BETWEEN_ENTRIES = b",\n"
_NO_SHA256 = "0" * 64
LAYOUT = """    {split}/{label}/{sha256 of the original}.jpg    upright, RGB, short side as the hub stores it
    {split}/metadata.csv                            one row a picture: label, group, licence, attribution, time, place
    labels.csv                                      class index, folder, code and name of every label
    LICENSES.csv                                    licences and attributions
    manifest.json                                   sha256 and size of every file

    keras.utils.image_dataset_from_directory("train")

Check the files against `manifest.json` before you rely on them.
"""


class ImageFolder:
    """One zip of folders."""

    name = "imagefolder"
    title = "ImageFolder"
    summary = "One zip, a folder for each label"
    has_pictures = True
    revision = "1"

    def files(self, export: Export) -> list[files.ExportFile]:
        """Return the zip."""
        return [ImageFolderZip(export)]

    def python(self, export: Export) -> str:
        """Return how it is loaded."""
        [zipped] = self.files(export)
        return (
            f'import zipfile\n\nimport keras\n\nzipfile.ZipFile("{zipped.name}").extractall()\n'
            f'pictures = keras.utils.image_dataset_from_directory("{export.splits[0]}")'
        )


class ImageFolderZip:
    """The zip of a part of a version."""

    media_type = "application/zip"

    def __init__(self, export: Export) -> None:
        self._export = export

    @property
    def name(self) -> str:
        """It says which content it has: zips are kept, and of several versions."""
        part = slug("-".join(self._export.part.query.values()))
        return "-".join(filter(None, [file_stem(self._export.version.name), part, self._export.version.digest[:12]])) + ".zip"

    @property
    def image_count(self) -> int:
        """How many pictures it holds."""
        return self._export.image_counts.total()

    def size_bytes(self) -> int | None:
        """Return its exact length, or None where finding it out would delay the first byte or it needs zip's 64-bit form."""
        return self._size_bytes

    @cached_property
    def _size_bytes(self) -> int | None:
        if self.image_count > files.LENGTH_KNOWN_UP_TO_IMAGES:
            return None
        sizes = [(member.path, sum(map(len, member.blocks))) for member in self._members_before_pictures()]
        sizes += [(path, picture.picture_size_bytes) for path, picture in self._pictures()]
        # A sha256 is as long as any other, so the manifest's length is known before its content.
        entries = [len(_entry(path, size_bytes, _NO_SHA256)) for path, size_bytes in sizes if not path.endswith("/")]
        manifest = sum(map(len, self._around_entries)) + sum(entries) + len(_BETWEEN_ENTRIES) * (len(entries) - 1)
        return zip_size_bytes([*sizes, ("manifest.json", manifest)])

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the zip from one of its bytes on. Its end has checksums of all before: for a later start, that is read again."""
        return from_byte(zip_blocks(self._members()), start)

    def _members(self) -> Iterator[Member]:
        # What is listed of a million pictures takes 150 MB.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as entries:
            for member in self._members_before_pictures():
                yield member if member.path.endswith("/") else _recorded(member, entries)
            yield from self._picture_members(entries)
            yield Member("manifest.json", None, self._manifest(entries))

    def _members_before_pictures(self) -> Iterator[Member]:
        export = self._export
        yield Member("README.md", None, [card(export, LAYOUT)])
        yield Member("labels.csv", None, labels_csv(export))
        yield Member("LICENSES.csv", None, licences_csv(export))
        for split in export.splits:
            yield Member(f"{split}/metadata.csv", None, self._metadata_csv(split))
            for folder in sorted(export.folders.values()):
                yield Member(f"{split}/{folder}/", 0, [])

    def _pictures(self) -> Iterator[tuple[str, VersionPicture]]:
        for split in self._export.splits:
            for file_name, picture in self._export.named(split):
                yield f"{split}/{file_name}", picture

    def _picture_members(self, entries: IO[bytes]) -> Iterator[Member]:
        paths: deque[str] = deque()

        def chunks() -> Iterator[Chunk]:
            for path, picture in self._pictures():
                paths.append(path)
                yield Chunk((picture,), b"".join)

        for chunk, bodies in read_ahead(chunks(), self._export.store):
            (picture,), (body,), path = chunk.pictures, bodies, paths.popleft()
            entries.write(_BETWEEN_ENTRIES + _entry(path, len(body), sha256_of(picture, body)))
            yield Member(path, len(body), bodies, picture.picture_crc32)

    def _metadata_csv(self, split: str) -> Iterator[bytes]:
        export = self._export
        rows = ((file_name, *picture_values(export, picture).values()) for file_name, picture in export.named(split))
        return csv_blocks(("file_name", *PICTURE_COLUMNS), rows)

    def _manifest(self, entries: IO[bytes]) -> Iterator[bytes]:
        """Yield the manifest with entries that were written down, one behind the other."""
        head, tail = self._around_entries
        entries.seek(0)
        yield head
        while block := entries.read(_BLOCK_BYTES):
            yield block
        yield tail

    @cached_property
    def _around_entries(self) -> tuple[bytes, bytes]:
        """What the manifest has before its entries and behind them."""
        export = self._export
        # Only patches have tombstones, and only parts are parts: the bytes of all other downloads stay as they were.
        tombstones = {"taken_down": list(export.taken_down)} if export.taken_down else {}
        part = {} if export.part.is_whole else {"part": export.part.query}
        empty = json.dumps({"digest": export.version.digest, **part, **tombstones, "files": []}, indent=0)
        return empty.removesuffix("]\n}").encode() + b"\n", b"\n]\n}"


def _entry(path: str, size_bytes: int, sha256: str) -> bytes:
    """Return what the manifest says of a file, as `json.dumps` would with an indent of 0, which takes ten times as long."""
    return f'{{\n"path": {json.dumps(path)},\n"size_bytes": {size_bytes},\n"sha256": "{sha256}"\n}}'.encode()


def _recorded(member: Member, entries: IO[bytes]) -> Member:
    """Return the member, which will write down its path, size and sha256 once it is read."""

    def blocks() -> Iterator[bytes]:
        digest, size_bytes = hashlib.sha256(), 0
        for block in member.blocks:
            digest.update(block)
            size_bytes += len(block)
            yield block
        if entries.tell():
            entries.write(_BETWEEN_ENTRIES)
        entries.write(_entry(member.path, size_bytes, digest.hexdigest()))

    return Member(member.path, member.size_bytes, blocks())
