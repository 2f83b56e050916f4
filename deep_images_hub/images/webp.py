"""What a WebP's container says before anything is decoded, and whether a decoded one was read to its end.

A WebP has no checksum, and libwebp makes a picture of damaged bytes as long as they last. Its coders need every byte: where the
bytes were altered, a decoder falls out of step, and ends before them or behind them. Behind them it fails by itself. Before them
shows when it is asked again and the last bytes are kept from it: of an honest picture it cannot make anything then.

Sources: RFC 9649, sections 2.3 to 2.7; RFC 6386, section 7.3. docs/experiments.md says which damage is found, and which is not.
"""

import io
from collections.abc import Iterator
from itertools import islice
from math import prod

from PIL import Image

# Where the first chunk begins, behind RIFF's own header.
_FIRST_CHUNK = 12
_HEADER_BYTES = 8
# What a frame of an animation says of itself, before the chunks of its picture.
_FRAME_HEADER_BYTES = 16
_PIXELS = (b"VP8 ", b"VP8L")
# Before its pixels an honest WebP has a few.
_MAX_CHUNKS = 50_000
# Coders end on up to four bytes that no decoder needs (libvpx; libwebp two), and a decoder looks up to one byte ahead. Of a
# picture without loss, one end in a thousand is made up by chance: what really is not needed can be left out in every way.
_LEFT_OUT_BYTES = (8, 7, 5)


def canvas_size(body: bytes) -> tuple[int, int]:
    """Return the width and height that a WebP announces; (0, 0) where its first chunk is of no known kind."""
    chunk = body[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(body[24:27], "little") + 1, int.from_bytes(body[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return int.from_bytes(body[26:28], "little") & 0x3FFF, int.from_bytes(body[28:30], "little") & 0x3FFF
    return 0, 0


def is_read_to_its_end(body: bytes) -> bool:
    """Tell whether a WebP has no more bytes of pixels, and of transparency, than its decoder needs; so has one that breaks off.

    Decodes it for its pixels, and again for its transparency.

    Args:
        body: the whole file, of one frame.
    """
    found: dict[bytes, bytes] = {}
    for kind, content in islice(_chunks(body), _MAX_CHUNKS):
        found.setdefault(kind, content)
        if kind in _PIXELS:
            return not (_has_more_pixels(body, kind, content) or _has_more_transparency(found, kind))
    return True


def _has_more_pixels(body: bytes, kind: bytes, content: bytes) -> bool:
    # More of them than are announced are refused by whoever decodes the file itself.
    if prod(canvas_size(_file_of((kind, content)))) > prod(canvas_size(body)):
        return False
    return all(_decodes((kind, content[:-count])) for count in _LEFT_OUT_BYTES)


def _has_more_transparency(found: dict[bytes, bytes], pixels: bytes) -> bool:
    if pixels == b"VP8L" or not {b"VP8X", b"ALPH"} <= found.keys():
        return False
    # It is no picture alone: its end is left out where all pixels are there.
    header, alpha, picture = ((kind, found[kind]) for kind in (b"VP8X", b"ALPH", pixels))
    return all(_decodes(header, (b"ALPH", alpha[1][:-count]), picture) for count in _LEFT_OUT_BYTES)


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each chunk, those of a frame in place of the frame."""
    at = _FIRST_CHUNK
    while at + _HEADER_BYTES <= len(body):
        kind, size_bytes = body[at : at + 4], int.from_bytes(body[at + 4 : at + 8], "little")
        at += _HEADER_BYTES
        if kind == b"ANMF":
            at += _FRAME_HEADER_BYTES
        else:
            yield kind, body[at : at + size_bytes]
            at += size_bytes + size_bytes % 2


def _file_of(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [kind + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2) for kind, content in chunks]
    content = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def _decodes(*chunks: tuple[bytes, bytes]) -> bool:
    try:
        with Image.open(io.BytesIO(_file_of(*chunks)), formats=["WEBP"]) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True
