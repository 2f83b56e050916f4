"""A zip that is sent while it is made: nothing is compressed, nothing but the names is kept, and equal members give equal bytes.

Members are stored as they are, since JPEG does not shrink; that also makes the length of the whole known before the first byte.
"""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

# The first moment that a zip can name. Real times would make two downloads of one version differ.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_LOCAL_HEADER_BYTES = 30
_DATA_DESCRIPTOR_BYTES = 16
_CENTRAL_HEADER_BYTES = 46
_END_BYTES = 22
# From here on zip needs its 64-bit form, whose length depends on where each member lies.
_ZIP64_FROM_BYTES = 2**31 - 1
_ZIP64_FROM_MEMBERS = 2**16 - 1


@dataclass(frozen=True)
class Member:
    """A file of the zip, or a folder when its path ends with `/`.

    Attributes:
        path: where it lies in the zip, e.g. `train/apple/0123.jpg`.
        size_bytes: its exact length, or None when only reading it tells.
        blocks: its bytes; read once, when its turn comes.
    """

    path: str
    size_bytes: int | None
    blocks: Iterable[bytes]


def zip_blocks(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the zip of some members, each as soon as it is read."""
    sink = _Sink()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            entry = zipfile.ZipInfo(member.path, _NO_TIME)
            entry.create_system = 3
            entry.external_attr = (0o40755 << 16 | 0x10) if entry.is_dir() else 0o100644 << 16
            entry.file_size = member.size_bytes or 0
            with archive.open(entry, "w") as target:
                for block in member.blocks:
                    target.write(block)
                    yield from sink.take()
            if member.size_bytes not in (None, entry.file_size):
                raise RuntimeError(f"{member.path} has {entry.file_size} bytes, not the {member.size_bytes} that were announced")
            yield from sink.take()
    yield from sink.take()


def zip_size_bytes(sizes_bytes: Iterable[tuple[str, int]]) -> int | None:
    """Return the exact length of the zip of members with these paths and sizes; None when it needs zip's 64-bit form."""
    total, members = _END_BYTES, 0
    for path, size_bytes in sizes_bytes:
        name_bytes = len(path.encode())
        total += _LOCAL_HEADER_BYTES + name_bytes + size_bytes + _DATA_DESCRIPTOR_BYTES + _CENTRAL_HEADER_BYTES + name_bytes
        members += 1
    return total if total < _ZIP64_FROM_BYTES and members < _ZIP64_FROM_MEMBERS else None


class _Sink:
    """What zipfile writes into: a file that cannot seek, emptied by whoever sends it on."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: Any) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Do nothing: there is nothing behind us to flush to."""

    def take(self) -> Iterator[bytes]:
        blocks, self._blocks = self._blocks, []
        if blocks:
            yield b"".join(blocks)
