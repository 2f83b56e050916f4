"""WebDataset: tar shards whose members share a key, `{key}.jpg`, `{key}.json`, `{key}.cls`, for reading in one go.

The key is the sha256 of the original. The json names its fields as img2dataset does where that has such a field. A shard holds
pictures of all labels, mixed; shards of a version are about equally large. Its length and every byte follow from the version.
"""

import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.files import Chunk, ChunkedFile, ExportFile, sha256_of
from deep_images_hub.datasets.exports.lists import accompanying_files, picture_values
from deep_images_hub.datasets.slugs import file_stem

LAYOUT = """    {name}-{split}-{number}.tar    pictures, about 10,000 in each, labels mixed
        {key}.jpg                  upright, RGB, short side as the hub stores it
        {key}.cls                  class index
        {key}.json                 label, group, licence, attribution, time, place, sha256 and length of the picture
    labels.csv                     class index, folder, code and name of every label
    LICENSES.csv                   licences and attributions

    webdataset.WebDataset("name-train-{000000..000005}.tar").decode("pil").to_tuple("jpg", "cls")
"""
_BLOCK_BYTES = 512
# What does not differ among headers. Making each of them with `tarfile` takes ten times as long.
_HEADER = tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT)
_NAME_BYTES = 100
_BEFORE_SIZE, _BEFORE_CHECKSUM, _AFTER_CHECKSUM = _HEADER[100:124], _HEADER[136:148], _HEADER[156:]
_SUM = sum(_BEFORE_SIZE + _BEFORE_CHECKSUM + b" " * 8 + _AFTER_CHECKSUM)
_json = json.JSONEncoder(ensure_ascii=False).encode


class WebDataset:
    """Tar shards."""

    name = "webdataset"
    title = "WebDataset"
    summary = "Tar shards that stream into training"
    has_pictures = True
    revision = "1"

    def files(self, export: Export) -> list[ExportFile]:
        """Return the shards of every split, and what accompanies them."""
        stem = file_stem(export.version.name)
        shards: list[ExportFile] = [
            ChunkedFile(
                name=f"{stem}-{split}-{number:06d}.tar",
                media_type="application/x-tar",
                image_count=export.images_in_shard(split),
                chunks=_chunks(export, split, number),
                store=export.store,
            )
            for split in export.splits
            for number in range(export.shard_count(split))
        ]
        return [*shards, *accompanying_files(export, LAYOUT)]

    def python(self, export: Export) -> str:
        """Return how the shards of a split are loaded."""
        split = export.splits[0]
        last = export.shard_count(split) - 1
        shards = f"{file_stem(export.version.name)}-{split}-" + ("{000000.." + f"{last:06d}" + "}" if last else "000000")
        return (
            "import webdataset\n\n"
            f'shards = webdataset.WebDataset("{shards}.tar", shardshuffle={min(100, last + 1) if last else False})\n'
            'pictures = shards.shuffle(1000).decode("pil").to_tuple("jpg", "cls")'
        )


def _chunks(export: Export, split: str, number: int) -> Callable[[], Iterator[Chunk]]:
    pictures = cache(partial(export.shard, split, number))

    def chunks() -> Iterator[Chunk]:
        for picture in pictures():
            yield Chunk((picture,), partial(_sample, export, picture))
        # Two empty blocks end a tar.
        yield Chunk((), lambda _: bytes(2 * _BLOCK_BYTES))

    return chunks


def _sample(export: Export, picture: VersionPicture, bodies: Sequence[bytes]) -> bytes:
    (body,) = bodies
    fields = {
        "key": picture.sha256,
        **picture_values(export, picture),
        "split": picture.split,
        "original_width": picture.width_px,
        "original_height": picture.height_px,
        "picture_size_bytes": picture.picture_size_bytes,
        "picture_sha256": sha256_of(picture, body),
    }
    return b"".join(
        part
        for suffix, content in (
            ("jpg", body),
            ("json", _json(fields).encode()),
            ("cls", b"%d" % export.class_indices[picture.label_code]),
        )
        for part in _member(f"{picture.sha256}.{suffix}", content)
    )


def _member(path: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the parts of a member of a tar. It has no time and no owner, which would differ among downloads."""
    name, size = path.encode("ascii"), b"%011o\0" % len(content)
    # The sum of all bytes, its own place counted as spaces.
    checksum = b"%06o\0 " % (_SUM + sum(name) + sum(size))
    header = b"".join((name.ljust(_NAME_BYTES, b"\0"), _BEFORE_SIZE, size, _BEFORE_CHECKSUM, checksum, _AFTER_CHECKSUM))
    return header, content, bytes(-len(content) % _BLOCK_BYTES)
