"""What a photograph's metadata say of where and when it was taken, and the photograph without the former. Pure.

Reads the bytes themselves and trusts none of them: whatever is out of place is not there.

Sources: Exif 2.32 (CIPA DC-008), TIFF 6.0.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

# How a block begins, and what stands before it, how far: JPEG's mark, which some write in WebP too; a PNG's chunk; a WebP's.
_STARTS = (b"II*\0", b"MM\0*")
_MARKS = ((b"Exif\0\0", 6), (b"eXIf", 4), (b"EXIF", 8))
_MAX_ENTRIES = 512
# A photograph and its previews have a few. Millions of them, each with as many fields, would be read for hours.
_MAX_STARTS = 100
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_TAKEN_AT, _TAKEN_AT_OFFSET = 0x9003, 0x9011
_ASCII, _RATIONAL = 2, 5
_SIZES = {1: 1, _ASCII: 1, 3: 2, 4: 4, _RATIONAL: 8, 7: 1, 9: 4, 10: 8}
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
# Positions in XMP, as attribute or as element: the same number of letters stay.
_XMP_NAME = b"exif:GPS"
_XMP_POSITION = re.compile(rb"(exif:GPS[A-Za-z]+\s*(?:=\s*[\"']|>))([^\"'<]{1,100})")
# Phones put a short film behind a photograph, which says it as QuickTime does: numbers with signs (ISO 6709).
_FILM_NAME = b"\xa9xyz"
_FILM_POSITION = re.compile(rb"(\xa9xyz.{4})([+-][0-9.]{2,12}[+-][0-9.]{2,13}(?:[+-][0-9.]{1,12})?)", re.DOTALL)
_WRITTEN = ((_XMP_NAME, _XMP_POSITION), (_FILM_NAME, _FILM_POSITION))
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class _Entry:
    """One field: where its twelve bytes and where its value lie in the file."""

    at: int
    kind: int
    value_at: int
    size_bytes: int


class _Block:
    """One block of metadata: a TIFF file within the photograph."""

    def __init__(self, body: bytes, start: int) -> None:
        self.body = body
        self._start = start
        self._order = "<" if body[start : start + 2] == b"II" else ">"

    def fields(self) -> dict[int, _Entry]:
        """Return those of the block's main directory."""
        return self._directory(self._number("I", self._start + 4))

    def under(self, pointer: _Entry | None) -> dict[int, _Entry]:
        """Return those of the directory that a field leads to; none where it leads nowhere."""
        return {} if pointer is None else self._directory(self._number("I", pointer.value_at))

    def directory_at(self, pointer: _Entry) -> int:
        """Return where in the file the directory begins that a field leads to."""
        return self._start + self._number("I", pointer.value_at)

    def text(self, entry: _Entry | None) -> str:
        """Return a field's text; empty where it is none."""
        if entry is None or entry.kind != _ASCII:
            return ""
        return self.body[entry.value_at : entry.value_at + entry.size_bytes].rstrip(b"\0 ").decode("ascii", "replace")

    def degrees(self, entry: _Entry | None) -> float | None:
        """Return degrees, minutes and seconds as degrees."""
        if entry is None or entry.kind != _RATIONAL or entry.size_bytes != 24:
            return None
        parts: tuple[int, ...] = struct.unpack_from(f"{self._order}6I", self.body, entry.value_at)
        if not all(parts[1::2]):
            return None
        degrees, minutes, seconds = (over / under for over, under in zip(parts[::2], parts[1::2], strict=True))
        return degrees + minutes / 60 + seconds / 3600

    def _directory(self, offset: int) -> dict[int, _Entry]:
        at = self._start + offset
        found: dict[int, _Entry] = {}
        for number in range(min(self._number("H", at), _MAX_ENTRIES)):
            entry_at = at + 2 + 12 * number
            if offset < 8 or entry_at + 12 > len(self.body):
                break
            tag, kind, count = struct.unpack_from(f"{self._order}HHI", self.body, entry_at)
            size_bytes = _SIZES.get(kind, 0) * count
            value_at = entry_at + 8 if size_bytes <= 4 else self._start + self._number("I", entry_at + 8)
            if value_at + size_bytes <= len(self.body):
                found[tag] = _Entry(entry_at, kind, value_at, size_bytes)
        return found

    def _number(self, form: str, at: int) -> int:
        size_bytes = struct.calcsize(f"<{form}")
        if at + size_bytes > len(self.body):
            return 0
        value: int = struct.unpack_from(self._order + form, self.body, at)[0]
        return value


def position_of(body: bytes) -> tuple[float, float] | None:
    """Return the latitude and longitude in degrees at which a photograph says that it was taken; None where it does not."""
    for block in _blocks(body):
        fields = block.under(block.fields().get(_GPS_IFD))
        latitude, longitude = block.degrees(fields.get(2)), block.degrees(fields.get(4))
        if latitude is None or longitude is None or not (latitude <= 90 and longitude <= 180):
            continue
        # Cameras that did not find out write zeros.
        if latitude or longitude:
            south, west = block.text(fields.get(1)).upper() == "S", block.text(fields.get(3)).upper() == "W"
            return (-latitude if south else latitude, -longitude if west else longitude)
    return None


def taken_at_of(body: bytes) -> datetime | None:
    """Return when a photograph says that it was taken, in UTC; None where it does not, or says no offset to UTC."""
    for block in _blocks(body):
        fields = block.under(block.fields().get(_EXIF_IFD))
        offset = _OFFSET.fullmatch(block.text(fields.get(_TAKEN_AT_OFFSET)))
        if offset is None:
            continue
        sign = -1 if offset[1] == "-" else 1
        try:
            zone = timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
            taken_at = datetime.strptime(block.text(fields.get(_TAKEN_AT)), "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
            return taken_at.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def without_position(body: bytes) -> bytes:
    """Return a photograph that no longer says where it was taken, as long as before and otherwise the same to the byte.

    Blanked are the GPS directories of all its metadata blocks, previews' too, the positions in XMP that is not compressed, and
    that of a film behind it.
    """
    cleaned = bytearray(body)
    for block in _blocks(body):
        pointer = block.fields().get(_GPS_IFD)
        if pointer is None:
            continue
        for entry in block.under(pointer).values():
            cleaned[entry.value_at : entry.value_at + entry.size_bytes] = bytes(entry.size_bytes)
            cleaned[entry.at : entry.at + 12] = bytes(12)
        at = block.directory_at(pointer)
        cleaned[at : at + 2] = bytes(len(cleaned[at : at + 2]))
    for name, position in _WRITTEN:
        for found in position.finditer(body) if name in body else ():
            cleaned[found.start(2) : found.end(2)] = b" " * len(found[2])
    # What says nothing of a place stays as it is, wrong checksums too.
    return _with_png_sums(cleaned) if bytes(cleaned) != body else body


def _blocks(body: bytes) -> Iterator[_Block]:
    # Looked for by what is rare: an expression for all of it takes several times as long.
    for start in _STARTS:
        at = -1
        for _ in range(_MAX_STARTS):
            at = body.find(start, at + 1)
            if at < 0:
                break
            if any(body.startswith(mark, at - before) for mark, before in _MARKS if at >= before):
                yield _Block(body, at)


def _with_png_sums(body: bytearray) -> bytes:
    """Correct the checksums of a PNG's chunks of metadata."""
    at = len(_PNG_SIGNATURE) if body.startswith(_PNG_SIGNATURE) else len(body)
    while at + 12 <= len(body):
        end = at + 8 + int.from_bytes(body[at : at + 4])
        if bytes(body[at + 4 : at + 8]) in (b"eXIf", b"iTXt", b"tEXt") and end + 4 <= len(body):
            body[end : end + 4] = zlib.crc32(body[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(body)
