"""Tell what bytes are by their content. A file's name and the type that its sender claims are never asked."""

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
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", ContentType("jpeg2000", is_image=True)),
    (0, b"\xff\x0a", ContentType("jpegxl", is_image=True)),
    (0, b"\x00\x00\x00\x0cJXL ", ContentType("jpegxl", is_image=True)),
    (0, b"8BPS", ContentType("psd", is_image=True)),
    (0, b"\x00\x00\x01\x00", ContentType("ico", is_image=True)),
    (0, b"%PDF-", ContentType("pdf", is_image=False)),
    (0, b"PK\x03\x04", ContentType("zip", is_image=False)),
    (4, b"ftyp", ContentType("video", is_image=False)),
)
_TEXT_STARTS = ((b"<svg", "svg"), (b"<!doctype html", "html"), (b"<html", "html"), (b"<?xml", "xml"), (b"{", "json"))
_UNKNOWN = ContentType("unknown", is_image=False)


def content_type(body: bytes) -> ContentType:
    """Name the format that the first bytes announce; `unknown` when they announce none."""
    for offset, signature, named in _SIGNATURES:
        if body.startswith(signature, offset):
            # RIFF is also sound and video: WebP needs both marks.
            if named.name == "webp" and not body.startswith(b"RIFF"):
                continue
            return named
    start = body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, name in _TEXT_STARTS:
        if start.startswith(mark):
            return ContentType(name, is_image=name == "svg")
    return _UNKNOWN
