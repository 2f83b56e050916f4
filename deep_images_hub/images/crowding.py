"""Tell files that keep a decoder busy with anything but pixels: made of far more parts than any honest one.

Pillow reads segments and chunks one by one, in Python, and keeps them; libjpeg walks over the whole picture for each scan of a
progressive JPEG. In 30 MB there is room for millions of either: minutes of work and gigabytes of memory, for a few pixels.

Sources: ITU-T T.81, annex B; PNG, third edition, section 5.3.
"""

import re

# Honest JPEGs have some dozens of segments. A PNG of 30 MB in chunks of 4 kB has 7,500.
MAX_PARTS = 50_000
# Programs write a dozen of scans. A hundred over 50 million pixels take some seconds.
MAX_SCANS = 100

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_PROGRESSIVE_FRAMES = (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES = (0xC0, 0xC1, 0xC3, 0xC5, 0xC7, 0xC9, 0xCB, 0xCD, 0xCF, *_PROGRESSIVE_FRAMES)
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))
# In a scan's bytes a marker is neither an escaped 0xFF nor a restart.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_FIRST_CHUNK, _PNG_BYTES_BESIDE_CONTENT = 8, 12


def crowding(body: bytes, format_name: str) -> str | None:
    """Say of what a file has too many parts; None where it has not.

    Looks at headers alone, and at the picture's bytes where it comes in several scans.
    """
    if format_name == "jpeg":
        return _jpeg_crowding(body)
    if format_name == "png":
        return _png_crowding(body)
    # libwebp reads WebP's chunks by itself, in no time.
    return None


def _jpeg_crowding(body: bytes) -> str | None:
    at, parts, has_several_scans, components = 2, 0, False, 0
    while parts <= MAX_PARTS:
        marker = body.find(b"\xff", at)
        if marker < 0 or marker + 10 > len(body):
            return None
        # Pillow looks at each byte that lies between segments.
        parts += 1 + marker - at
        kind = body[marker + 1]
        if kind == _START_OF_SCAN:
            return _scan_crowding(body, marker) if has_several_scans or body[marker + 4] < components else None
        if kind == 0xFF:
            at = marker + 1
        elif kind == 0 or kind in _WITHOUT_LENGTH:
            at = marker + 2
        else:
            if kind in _FRAMES:
                has_several_scans, components = kind in _PROGRESSIVE_FRAMES, body[marker + 9]
            at = _behind(body, marker)
    return f"The JPEG has more than {MAX_PARTS:,} segments before its picture"


def _scan_crowding(body: bytes, marker: int) -> str | None:
    """Count scans, from the first one's marker on."""
    scans = 0
    for _ in range(MAX_PARTS):
        if body[marker + 1] == _END_OF_IMAGE:
            return None
        scans += body[marker + 1] == _START_OF_SCAN
        if scans > MAX_SCANS:
            return f"The JPEG has more than {MAX_SCANS} scans"
        found = _MARKER_IN_SCAN.search(body, _behind(body, marker))
        if found is None:
            return None
        marker = found.start()
    return f"The JPEG has more than {MAX_PARTS:,} segments in its picture"


def _behind(body: bytes, marker: int) -> int:
    """Return where a JPEG's segment ends, by the length that it announces, at least the two bytes of that; some have none."""
    if body[marker + 1] in _WITHOUT_LENGTH:
        return marker + 2
    return marker + 2 + max(2, int.from_bytes(body[marker + 2 : marker + 4], "big"))


def _png_crowding(body: bytes) -> str | None:
    at = _PNG_FIRST_CHUNK
    for _ in range(MAX_PARTS):
        if at >= len(body):
            return None
        at += _PNG_BYTES_BESIDE_CONTENT + int.from_bytes(body[at : at + 4], "big")
    return f"The PNG has more than {MAX_PARTS:,} chunks"
