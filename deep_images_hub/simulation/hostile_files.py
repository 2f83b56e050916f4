"""Files that mean harm: pictures of every kind, broken and stretched in every way that was thought of.

For `scripts/bench fuzz` and its test. A seed and a number always give the same file, so that what is found can be looked at
again.
"""

import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageCms

from deep_images_hub.simulation.png_chunks import PNG_SIGNATURE, png_chunk, with_chunks, with_right_checksums

_EXTREMES = (
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\x00\x00\xff\xff",
    b"\x00\x00\x00\x01",
)
# Half of the changes hit what lies at the begin, where the decoders' decisions are made.
_HEADER_BYTES = 200
_HTML = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
_ZIP = b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(16) + b"\x05\x00\x00\x00a.txt" + b"PK\x05\x06" + bytes(18)
_TEXT = "This is no photograph. Das hier auch nicht: äöü.\n".encode() * 20


@dataclass(frozen=True)
class HostileFile:
    """A file, and what was done to it: one of HARMS."""

    harm: str
    body: bytes


def hostile_file(seed: int, number: int) -> HostileFile:
    """Return one of the files of a seed."""
    rng = random.Random(f"{seed}/{number}")
    harm = rng.choices(list(HARMS), weights=[_WEIGHTS.get(name, 1) for name in HARMS])[0]
    return HostileFile(harm, HARMS[harm](rng))


@cache
def sound_files() -> Mapping[str, bytes]:
    """Return small pictures that nothing is wrong with, in every form that a decoder has code of its own for."""
    scene = _scene()
    grey = scene.convert("L")
    icc_profile = _srgb_profile()
    forms = {
        "jpeg": _encoded(scene, "JPEG", exif=_exif(6), icc_profile=icc_profile, comment=b"hello"),
        "progressive jpeg": _encoded(scene, "JPEG", progressive=True),
        "cmyk jpeg": _encoded(scene.convert("CMYK"), "JPEG"),
        "grey jpeg": _encoded(grey, "JPEG"),
        "jpeg with previews": _frames("MPO"),
        "png": _encoded(scene, "PNG", exif=_exif(3), icc_profile=icc_profile),
        "palette png": _encoded(scene.quantize(40), "PNG", transparency=bytes(range(40))),
        "grey png with alpha": _encoded(scene.convert("LA"), "PNG"),
        "png of 16 bits": _encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "PNG"),
        "animated png": _frames("PNG"),
        "webp": _encoded(scene, "WEBP", exif=_exif(8), icc_profile=icc_profile),
        "lossless webp": _encoded(scene.convert("RGBA"), "WEBP", lossless=True),
        "animated webp": _frames("WEBP"),
        "gif": _encoded(scene, "GIF"),
        "animated gif": _frames("GIF"),
        "tiff": _encoded(scene, "TIFF", compression="tiff_lzw"),
        "bmp": _encoded(scene, "BMP"),
        "heic": struct.pack(">I", 24) + b"ftypheic\x00\x00\x00\x00mif1heic" + struct.pack(">I", 400) + b"meta" + bytes(600),
    }
    return MappingProxyType(forms)


def _scene() -> Image.Image:
    rows, columns = np.indices((80, 96))
    checks = ((rows // 5 + columns // 7) % 2 * 120 + 60).astype(np.uint8)
    return Image.fromarray(np.stack([checks, np.roll(checks, 3, axis=1), 255 - checks], axis=-1))


def _encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    body = io.BytesIO()
    image.save(body, file_format, **options)
    return body.getvalue()


def _frames(file_format: str) -> bytes:
    frames = [_scene().rotate(angle) for angle in (0, 20, 40)]
    return _encoded(frames[0], file_format, save_all=True, append_images=frames[1:])


def _exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


@cache
def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _any_sound(rng: random.Random) -> bytes:
    return rng.choice(list(sound_files().values()))


def _spoiled(rng: random.Random) -> bytes:
    """Change bytes and bits, cut out, put in, move, cut off, one or many times over."""
    return spoil(_any_sound(rng), rng)


def spoil(body: bytes, rng: random.Random) -> bytes:
    """Return other bytes, most of them the same; never none."""
    changed = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(changed) if rng.random() < 0.5 else min(len(changed), _HEADER_BYTES))
        match rng.choice(("byte", "byte", "bit", "bit", "cut out", "put in", "number", "moved", "end")):
            case "byte":
                changed[at] = rng.randrange(256)
            case "bit":
                changed[at] ^= 1 << rng.randrange(8)
            case "cut out":
                del changed[at : at + rng.randrange(1, 50)]
            case "put in":
                changed[at:at] = rng.randbytes(rng.randrange(1, 30))
            case "number":
                changed[at : at + 4] = rng.choice(_EXTREMES)
            case "moved":
                start = rng.randrange(len(changed))
                changed[at : at + 40] = changed[start : start + 40]
            case "end":
                del changed[at + 1 :]
        changed = changed or bytearray(b"x")
    return bytes(changed)


def _spliced(rng: random.Random) -> bytes:
    """Begin as one file and go on as another."""
    one, other = _any_sound(rng), _any_sound(rng)
    return one[: rng.randrange(1, len(one))] + other[rng.randrange(len(other)) :]


def _lying_length(rng: random.Random) -> bytes:
    """Give a segment, a chunk, a box or a picture another length than it has."""
    body = bytearray(_any_sound(rng))
    for offset, size in rng.sample(fields := length_fields(bytes(body)), min(len(fields), rng.choice((1, 1, 2)))):
        lies = (rng.randbytes(size), rng.choice(_EXTREMES)[:size], bytes(size))
        body[offset : offset + size] = rng.choice(lies)
    return with_right_checksums(bytes(body)) if rng.random() < 0.5 else bytes(body)


def length_fields(body: bytes) -> list[tuple[int, int]]:
    """Return where a file says how long or how large something is: (offset, bytes)."""
    if body.startswith(b"\xff\xd8"):
        return _jpeg_lengths(body)
    if body.startswith(PNG_SIGNATURE):
        # Of the picture, and of each chunk.
        return [(16, 4), (20, 4), *_chunk_lengths(body, first=8, order=">", beside=12)]
    if body.startswith(b"RIFF"):
        return [(4, 4), (24, 3), (27, 3), *((at + 4, size) for at, size in _chunk_lengths(body, first=12, order="<", beside=8))]
    # GIF, BMP, TIFF and HEIC have theirs near the begin.
    return [(offset, 4) for offset in (0, 2, 4, 6, 8, 10, 14, 18, 22)]


def _jpeg_lengths(body: bytes) -> list[tuple[int, int]]:
    found, at = [], 2
    while at + 4 <= len(body) and body[at] == 0xFF:
        if body[at + 1] in (0xC0, 0xC2):
            found += [(at + 5, 2), (at + 7, 2)]
        found.append((at + 2, 2))
        if body[at + 1] == 0xDA:
            break
        at += 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    return found


def _chunk_lengths(body: bytes, *, first: int, order: str, beside: int) -> list[tuple[int, int]]:
    """Return the lengths of chunks one after the other; beside: bytes of a chunk that its length does not count."""
    found, at = [], first
    while at + 8 <= len(body):
        found.append((at, 4))
        at += beside + int(struct.unpack_from(f"{order}I", body, at + (4 if order == "<" else 0))[0])
    return found


def _believed(rng: random.Random) -> bytes:
    """Spoil a PNG and mend its checksums, so that the decoder believes what it reads."""
    kinds = ("png", "palette png", "grey png with alpha", "png of 16 bits", "animated png")
    body = sound_files()[rng.choice(kinds)]
    changed = bytearray(body)
    for _ in range(rng.choice((1, 2, 5))):
        changed[rng.randrange(8, len(changed))] = rng.randrange(256)
    return with_right_checksums(bytes(changed))


def _polyglot(rng: random.Random) -> bytes:
    """Be two things at once: a picture before, behind or inside of a page, a text or an archive."""
    picture, other = _any_sound(rng), rng.choice((_HTML, _ZIP, _TEXT, b"%PDF-1.7\n", b"{}", b"#!/bin/sh\nexit 1\n"))
    at = rng.choice((0, len(picture), rng.randrange(len(picture))))
    return picture[:at] + other + picture[at:]


def _no_picture(rng: random.Random) -> bytes:
    """Be something else altogether, or nothing."""
    return rng.choice((b"", b"\n", _HTML, _ZIP, _TEXT, bytes(3000), rng.randbytes(2000), b"RIFF\x24\x00\x00\x00WAVEfmt "))


def _exif_bomb(rng: random.Random) -> bytes:
    """Carry EXIF that goes in circles, points outside, or holds more than there is."""
    entries = b"".join(
        struct.pack(
            ">HHI4s",
            rng.choice((0x0112, 0x8769, 0x8825, 0x010F, 0xA005, rng.randrange(65536))),
            rng.randrange(0, 14),
            rng.choice((0, 1, 2, 65535, 0xFFFFFFFF)),
            rng.choice((*_EXTREMES, struct.pack(">I", 8), rng.randbytes(4))),
        )
        for _ in range(rng.choice((1, 3, 500)))
    )
    announced = rng.choice((len(entries) // 12, 65535, 0))
    directory = struct.pack(">H", announced) + entries + struct.pack(">I", rng.choice((0, 8, 0xFFFFFFFF)))
    exif = b"Exif\x00\x00MM\x00\x2a" + struct.pack(">I", rng.choice((8, 8, 8, 0, 0xFFFFFFF0))) + directory
    return _encoded(_scene(), rng.choice(("JPEG", "PNG", "WEBP")), exif=exif)


def _icc_bomb(rng: random.Random) -> bytes:
    """Carry a colour profile that is broken, lies of its size or its kind, or is enormous."""
    profile = bytearray(_srgb_profile())
    match rng.choice(("spoiled", "kind", "tags", "long", "inflated")):
        case "spoiled":
            profile = bytearray(spoil(bytes(profile), rng))
        case "kind":
            profile[16:20] = rng.choice((b"CMYK", b"GRAY", b"Lab ", b"RGB ", b"15CL"))
            profile[12:16] = rng.choice((b"prtr", b"link", b"abst", b"nmcl", b"scnr"))
        case "tags":
            profile[128:132] = rng.choice(_EXTREMES)
            at = 132 + 12 * rng.randrange(8)
            profile[at + 4 : at + 12] = rng.choice(_EXTREMES) + rng.choice(_EXTREMES)
        case "long":
            profile += bytes(rng.choice((100_000, 5_000_000)))
            profile[:4] = struct.pack(">I", len(profile))
        case "inflated":
            return with_chunks(sound_files()["palette png"], [png_chunk(b"iCCP", b"x\x00\x00" + _deflated_zeros())])
    image = _scene() if rng.random() < 0.7 else _scene().convert(rng.choice(("L", "CMYK")))
    return _encoded(image, rng.choice(("JPEG", "PNG", "WEBP") if image.mode != "CMYK" else ("JPEG",)), icc_profile=bytes(profile))


@cache
def _deflated_zeros() -> bytes:
    """Return 100 MB of nothing, in 100 kB."""
    return zlib.compress(bytes(100_000_000))


def _text_bomb(rng: random.Random) -> bytes:
    """Carry text that inflates to far more than the picture."""
    kind, head = rng.choice(((b"zTXt", b"a\x00\x00"), (b"iTXt", b"a\x00\x01\x00\x00\x00")))
    text = rng.choice((_deflated_zeros(), zlib.compress(bytes(900_000))))
    chunks = [png_chunk(kind, head + text)] * rng.choice((1, 3, 200 if len(text) < 10_000 else 2))
    return with_chunks(sound_files()["png"], chunks)


def _crowded(rng: random.Random) -> bytes:
    """Be made of thousands of tiny segments, chunks or scans."""
    match rng.choice(("segments", "chunks", "scans")):
        case "segments":
            body = sound_files()["jpeg"]
            return (
                body[:2] + rng.choice((b"\xff\xfe\x00\x02", b"\xff\xe5\x00\x02", b"\xff")) * rng.choice((100, 50_000)) + body[2:]
            )
        case "chunks":
            chunk = png_chunk(rng.choice((b"prVt", b"tEXt", b"IDAT")), b"")
            return with_chunks(sound_files()["png"], [chunk] * rng.choice((100, 50_000)))
        case _:
            return with_many_scans(sound_files()["progressive jpeg"], rng.choice((10, 5_000)))


def with_many_scans(body: bytes, scans: int) -> bytes:
    """Repeat the last scan of a progressive JPEG: each costs the decoder a walk over the whole picture."""
    last, end = body.rindex(b"\xff\xda"), body.rindex(b"\xff\xd9")
    return body[:end] + body[last:end] * scans + body[end:]


def _huge(rng: random.Random) -> bytes:
    """Announce far more pixels than there are."""
    side = struct.pack(">I", rng.choice((20_000, 60_000, 0x7FFFFFFF, 0xFFFFFFFF)))
    match rng.choice(("png", "jpeg", "webp")):
        case "png":
            body = sound_files()["png"]
            return with_right_checksums(body[:16] + side + side + body[24:])
        case "jpeg":
            body = sound_files()["progressive jpeg"]
            frame = body.index(b"\xff\xc2")
            return body[: frame + 5] + rng.choice((b"\xff\xff\xff\xff", b"\x20\x00\x20\x00")) + body[frame + 9 :]
        case _:
            canvas = rng.choice((b"\xff\xff\xff\xff\xff\xff", b"\xff\x3f\x00\xff\x3f\x00"))
            body = sound_files()["webp"]
            return body[:24] + canvas + body[30:]


# What can be done to files, by name.
HARMS: Mapping[str, Callable[[random.Random], bytes]] = MappingProxyType(
    {
        "spoiled": _spoiled,
        "spliced": _spliced,
        "lying length": _lying_length,
        "believed": _believed,
        "polyglot": _polyglot,
        "no picture": _no_picture,
        "exif bomb": _exif_bomb,
        "icc bomb": _icc_bomb,
        "text bomb": _text_bomb,
        "crowded": _crowded,
        "huge": _huge,
    }
)
_WEIGHTS: Mapping[str, int] = MappingProxyType({"spoiled": 8, "lying length": 4, "spliced": 3, "believed": 3, "icc bomb": 3})
