"""A zip that is sent while it is made: nothing is compressed, and equal members give equal bytes.

Members are stored as they are, since JPEG does not shrink; that also makes the length of the whole known before the first byte.
The bytes are those that `zipfile` writes into what cannot seek. That takes five times as long for a photograph, and keeps two
kilobytes of memory for each until the end; here the directory at the zip's end waits in a temporary file.
"""

import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The first moment that a zip can name: 1 January 1980, 0:00. Real times would make two downloads of one version differ.
_TIME, _DATE = 0, 1 << 5 | 1
# Made on Unix, by and for version 2.0 of the format; 4.5 where a number needs 64 bits.
_UNIX, _VERSION, _ZIP64_VERSION = 3, 20, 45
_FOLDER, _FILE = 0o40755 << 16 | 0x10, 0o100644 << 16
# Checksum and length stand behind a member; its name is not plain ASCII.
_HAS_DESCRIPTOR, _IS_UTF_8 = 0x08, 0x800
_LOCAL_HEADER = struct.Struct("<4s2B4HL2L2H")
_DESCRIPTOR = struct.Struct("<4s3L")
_CENTRAL_HEADER = struct.Struct("<4s4B4HL2L5H2L")
_ZIP64_OFFSET = struct.Struct("<2HQ")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_MAX_16_BITS, _MAX_32_BITS = 2**16 - 1, 2**32 - 1
# The directory of so many bytes stays in memory.
_IN_MEMORY_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 18
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
        crc32: of its bytes, where it is known; None: it is found out.
    """

    path: str
    size_bytes: int | None
    blocks: Iterable[bytes]
    crc32: int | None = None


def zip_blocks(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the zip of some members, each as soon as it is read.

    Raises:
        RuntimeError: a member is not as long as it said, or longer than 2 GiB, which needs another form.
    """
    end = count = 0
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as directory:
        for member in members:
            begin = end
            name, flags = _encoded(member.path)
            header = _LOCAL_HEADER.pack(
                b"PK\3\4", _VERSION, 0, flags, 0, _TIME, _DATE, 0, 0, 0, len(name), 0
            )  # fmt: skip
            yield header + name
            size_bytes = checksum = 0
            for block in member.blocks:
                size_bytes += len(block)
                if member.crc32 is None:
                    checksum = zlib.crc32(block, checksum)
                yield block
            _check_size(member, size_bytes)
            checksum = checksum if member.crc32 is None else member.crc32
            yield _DESCRIPTOR.pack(b"PK\7\x08", checksum, size_bytes, size_bytes)
            end += len(header) + len(name) + size_bytes + _DESCRIPTOR.size
            directory.write(_directory_entry(name, flags, checksum, size_bytes, begin))
            count += 1
        directory_bytes = directory.tell()
        directory.seek(0)
        while block := directory.read(_BLOCK_BYTES):
            yield block
    yield _end_of_zip(count, directory_bytes, end)


def _encoded(path: str) -> tuple[bytes, int]:
    """Return a member's name and its flags."""
    name = path.encode()
    return name, _HAS_DESCRIPTOR if path.isascii() else _HAS_DESCRIPTOR | _IS_UTF_8


def _check_size(member: Member, size_bytes: int) -> None:
    if member.size_bytes not in (None, size_bytes):
        raise RuntimeError(f"{member.path} has {size_bytes} bytes, not the {member.size_bytes} that were announced")
    if size_bytes > _ZIP64_FROM_BYTES:
        raise RuntimeError(f"{member.path} has {size_bytes} bytes, more than the {_ZIP64_FROM_BYTES} that a member may have here")


def _directory_entry(name: bytes, flags: int, checksum: int, size_bytes: int, begin: int) -> bytes:
    """Return what the directory says of a member. begin: where it lies in the zip."""
    version, extra = _VERSION, b""
    if begin > _ZIP64_FROM_BYTES:
        version, extra, begin = _ZIP64_VERSION, _ZIP64_OFFSET.pack(1, 8, begin), _MAX_32_BITS
    header = _CENTRAL_HEADER.pack(
        b"PK\1\2", version, _UNIX, version, 0, flags, 0, _TIME, _DATE, checksum, size_bytes, size_bytes, len(name), len(extra),
        0, 0, 0, _FOLDER if name.endswith(b"/") else _FILE, begin,
    )  # fmt: skip
    return header + name + extra


def _end_of_zip(count: int, directory_bytes: int, directory_begin: int) -> bytes:
    """Return what stands behind the directory, which says where that is."""
    zip64 = b""
    if count > _ZIP64_FROM_MEMBERS or max(directory_begin, directory_bytes) > _ZIP64_FROM_BYTES:
        zip64 = _ZIP64_END.pack(
            b"PK\6\6", 44, _ZIP64_VERSION, _ZIP64_VERSION, 0, 0, count, count, directory_bytes, directory_begin
        )  # fmt: skip
        zip64 += _ZIP64_LOCATOR.pack(b"PK\6\7", 0, directory_begin + directory_bytes, 1)
    count = min(count, _MAX_16_BITS)
    end = _END.pack(
        b"PK\5\6", 0, 0, count, count, min(directory_bytes, _MAX_32_BITS), min(directory_begin, _MAX_32_BITS), 0
    )  # fmt: skip
    return zip64 + end


def zip_size_bytes(sizes_bytes: Iterable[tuple[str, int]]) -> int | None:
    """Return the exact length of the zip of members with these paths and sizes; None when it needs zip's 64-bit form."""
    total, members = _END.size, 0
    for path, size_bytes in sizes_bytes:
        name_bytes = len(path.encode())
        total += _LOCAL_HEADER.size + size_bytes + _DESCRIPTOR.size + _CENTRAL_HEADER.size + 2 * name_bytes
        members += 1
    return total if total < _ZIP64_FROM_BYTES and members < _ZIP64_FROM_MEMBERS else None
