"""Tell what bytes are by their content. A file's name and the type that its sender claims are never asked."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ContentType:
    """What a signature says.

    Attributes:
        name: of the format in lower case, e.g. `jpeg`.
        is_image: a picture of some kind, decodable by us or not.
    """

    name: str
    is_image: bool


# Formats that become pictures. Others that are known are refused by name: cameras and phones send these three, and every
# decoder that hostile bytes can reach is one more to trust. HEIC and AVIF await a decoder worth trusting; GIF, BMP and TIFF
# are no photographs.
SUPPORTED_FORMATS = ("jpeg", "png", "webp")

# Names that people give to pictures, for whoever looks for some among other files. What a file is, its bytes say.
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif"})

_SIGNATURES: tuple[tuple[int, bytes, ContentType], ...] = (
    (0, b"\xff\xd8\xff", ContentType("jpeg", is_image=True)),
    (0, b"\x89PNG\r\n\x1a\n", ContentType("png", is_image=True)),
    (8, b"WEBP", ContentType("webp", is_image=True)),
    (0, b"GIF8", ContentType("gif", is_image=True)),
    (0, b"BM", ContentType("bmp", is_image=True)),
    (0, b"II*\x00", ContentType("tiff", is_image=True)),
    (0, b"MM\x00*", ContentType("tiff", is_image=True)),
    (0, b"II+\x00", ContentType("bigtiff", is_image=True)),
    (0, b"MM\x00+", ContentType("bigtiff", is_image=True)),
    (4, b"ftypavif", ContentType("avif", is_image=True)),
    (4, b"ftypavis", ContentType("avif", is_image=True)),
    (4, b"ftyphe", ContentType("heic", is_image=True)),
    (4, b"ftypmif1", ContentType("heif", is_image=True)),
    (4, b"ftypmsf1", ContentType("heif", is_image=True)),
    (4, b"ftypcrx ", ContentType("cr3", is_image=True)),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", ContentType("jpeg2000", is_image=True)),
    (0, b"\xff\x4f\xff\x51", ContentType("jpeg2000", is_image=True)),
    (0, b"\xff\x0a", ContentType("jpegxl", is_image=True)),
    (0, b"\x00\x00\x00\x0cJXL ", ContentType("jpegxl", is_image=True)),
    (0, b"8BPS", ContentType("psd", is_image=True)),
    (0, b"\x00\x00\x01\x00", ContentType("ico", is_image=True)),
    (0, b"icns", ContentType("icns", is_image=True)),
    (0, b"II\xbc\x01", ContentType("jpegxr", is_image=True)),
    (0, b"qoif", ContentType("qoi", is_image=True)),
    (0, b"DDS ", ContentType("dds", is_image=True)),
    (0, b"gimp xcf", ContentType("xcf", is_image=True)),
    (0, b"v/1\x01", ContentType("exr", is_image=True)),
    (0, b"#?RADIANCE", ContentType("hdr", is_image=True)),
    (0, b"\x01\xda\x00", ContentType("sgi", is_image=True)),
    (0, b"\x01\xda\x01", ContentType("sgi", is_image=True)),
    (0, b"\x0a\x05\x01\x08", ContentType("pcx", is_image=True)),
    (0, b"\x59\xa6\x6a\x95", ContentType("sun", is_image=True)),
    (0, b"\x8aMNG\r\n\x1a\n", ContentType("mng", is_image=True)),
    (0, b"AT&TFORM", ContentType("djvu", is_image=True)),
    (0, b"FUJIFILMCCD-RAW", ContentType("raf", is_image=True)),
    (0, b"IIRO", ContentType("orf", is_image=True)),
    (0, b"IIRS", ContentType("orf", is_image=True)),
    (0, b"MMOR", ContentType("orf", is_image=True)),
    (0, b"IIU\x00", ContentType("rw2", is_image=True)),
    (0, b"SIMPLE  =", ContentType("fits", is_image=True)),
    (128, b"DICM", ContentType("dicom", is_image=True)),
    (0, b"%PDF-", ContentType("pdf", is_image=False)),
    (0, b"PK\x03\x04", ContentType("zip", is_image=False)),
    (4, b"ftyp", ContentType("video", is_image=False)),
)
_TEXT_STARTS = ((b"<svg", "svg"), (b"<!doctype html", "html"), (b"<html", "html"), (b"<?xml", "xml"), (b"{", "json"))
# The portable formats begin with two letters of text, so what follows is asked too: perhaps comments, then a number or a word.
_PORTABLE = re.compile(rb"P(?:[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s|7\n[#A-Z]|[Ff]\n\d+\s)")
_PORTABLE_NAMES = dict(zip(b"1425367Ff", ("pbm", "pbm", "pgm", "pgm", "ppm", "ppm", "pam", "pfm", "pfm"), strict=True))
_TGA_HEADER_BYTES = 18
_TGA_END = b"TRUEVISION-XFILE.\x00"
_UNKNOWN = ContentType("unknown", is_image=False)


def content_type(body: bytes) -> ContentType:
    """Name the format that the first bytes announce; `unknown` when they announce none."""
    for offset, signature, named in _SIGNATURES:
        if body.startswith(signature, offset):
            # RIFF is also sound and video: WebP needs both marks.
            if named.name == "webp" and not body.startswith(b"RIFF"):
                continue
            return named
    if _PORTABLE.match(body):
        return ContentType(_PORTABLE_NAMES[body[1]], is_image=True)
    if _is_tga(body):
        return ContentType("tga", is_image=True)
    start = body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, name in _TEXT_STARTS:
        if start.startswith(mark):
            return ContentType(name, is_image=name == "svg")
    return _UNKNOWN


def _is_tga(body: bytes) -> bool:
    """Tell whether bytes are a Truevision TGA: it has no signature, its newer ones an end, so all of its header has to fit.

    Source: Truevision TGA file format specification, version 2.0.
    """
    if body.endswith(_TGA_END):
        return True
    if len(body) <= _TGA_HEADER_BYTES:
        return False
    colour_map, kind, depth_bits = body[1], body[2], body[16]
    entries, entry_bits = int.from_bytes(body[5:7], "little"), body[7]
    pixels = int.from_bytes(body[12:14], "little") * int.from_bytes(body[14:16], "little")
    has_map = kind in (1, 9)
    if kind not in (1, 2, 3, 9, 10, 11) or colour_map != has_map or pixels == 0:
        return False
    if depth_bits not in ((8,) if has_map or kind in (3, 11) else (16, 24, 32)) or has_map != (entries > 0):
        return False
    # Runs of one colour may make a compressed one 128 times as short.
    least_bytes = pixels * depth_bits // 8 if kind < 9 else pixels // 128
    return len(body) >= _TGA_HEADER_BYTES + body[0] + entries * entry_bits // 8 + least_bytes
