"""Copies between stores that cannot copy by themselves, and what both stores share about streams."""

import mimetypes
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from deep_images_hub.errors import NotFoundError
from deep_images_hub.object_store.interface import ObjectStore

# Larger objects pass through a temporary file.
_IN_MEMORY_BYTES = 64 << 20


def copy_through(source: ObjectStore, source_key: str, target: ObjectStore, key: str) -> bool:
    """Copy an object from one store to another through this process. Returns False when the key is taken."""
    if source.stat(source_key).size_bytes <= _IN_MEMORY_BYTES:
        return target.create(key, source.read(source_key), content_type_of(key))
    with tempfile.NamedTemporaryFile() as local:
        for block in source.read_blocks(source_key):
            local.write(block)
        local.flush()
        return target.create_from_file(key, local.name, content_type_of(key))


def content_type_of(key: str) -> str:
    """Return the content type that a key's suffix stands for."""
    return mimetypes.guess_type(key, strict=False)[0] or "application/octet-stream"


def begun(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same blocks with the first one already read, so that what goes wrong at the start goes wrong now."""
    first = next(blocks, None)
    return iter(()) if first is None else chain((first,), blocks)


@contextmanager
def local_file(path: str) -> Iterator[BinaryIO]:
    """Open a local file that is to be stored. Raises NotFoundError when it cannot be opened."""
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only the opening is to be translated
    except OSError as error:
        raise NotFoundError(f"The file {path} cannot be opened ({error.strerror}), so it cannot be stored.") from error
    with file:
        yield file
