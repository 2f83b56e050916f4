"""The chunks that a PNG is made of, taken apart and put together again.

Source: PNG, third edition, section 5.3.
"""

import struct
import zlib
from collections.abc import Sequence

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A chunk's length and kind before its content, and its checksum behind it.
_HEAD_BYTES, _CHECKSUM_BYTES = 8, 4
# The first chunk, IHDR, always has 13 bytes.
_FIRST_END = len(PNG_SIGNATURE) + _HEAD_BYTES + 13 + _CHECKSUM_BYTES


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a whole chunk; kind: four letters."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunks(body: bytes, chunks: Sequence[bytes]) -> bytes:
    """Return a PNG with more chunks behind its first."""
    return body[:_FIRST_END] + b"".join(chunks) + body[_FIRST_END:]


def with_right_checksums(body: bytes) -> bytes:
    """Return a PNG whose chunks, as far as their lengths make sense, have right checksums; what is no PNG, as it is."""
    if not body.startswith(PNG_SIGNATURE):
        return body
    changed, at = bytearray(body), len(PNG_SIGNATURE)
    while at + _HEAD_BYTES <= len(body):
        end = at + _HEAD_BYTES + int.from_bytes(body[at : at + 4], "big")
        if end + _CHECKSUM_BYTES > len(body):
            break
        changed[end : end + _CHECKSUM_BYTES] = struct.pack(">I", zlib.crc32(body[at + 4 : end]))
        at = end + _CHECKSUM_BYTES
    return bytes(changed)
