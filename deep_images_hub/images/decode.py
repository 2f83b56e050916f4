"""Turn untrusted bytes into an upright RGB picture of bounded size, or into a refusal with a reason.

Nothing that bytes can do raises: what a decoder may throw at hostile input is listed in `_DECODER_ERRORS` and becomes a
refusal; anything else is a defect of ours. Pillow's own leniency with truncated files stays off.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from deep_images_hub.images.content_type import SUPPORTED_FORMATS, content_type
from deep_images_hub.images.crowding import crowding
from deep_images_hub.images.jpeg import DamagedJpegError, decode_jpeg
from deep_images_hub.images.webp import canvas_size, is_read_to_its_end

# What Pillow raises on bytes that are wrong: the first three were seen in 60,000 broken files, the others are in its source.
# tests/unit/images/test_hostile_bytes.py keeps looking.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)
_PNG_END = b"IEND\xaeB`\x82"
_ORIENTATION_TAG = 0x0112
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# JPEG cannot hold a longer side.
_MAX_SIDE_PX = 65_000
# Pillow keeps the memory of so many pictures (of up to 16 MB each) for the next ones: otherwise up to a sixth of what decoding
# takes goes into pages that the system hands out and takes back.
Image.core.set_blocks_max(4)  # type: ignore[attr-defined] # documented, and not in Pillow's own list of names
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True)
class Refusal:
    """Why bytes cannot become a picture.

    Attributes:
        reason: one of `verdicts.BROKEN_REASONS`.
        detail: for people: what was found, what was expected.
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph.

    Attributes:
        picture: RGB, upright, sRGB where a colour profile said how; its short side is the one asked for, or the photograph's own
            where that is shorter.
        format: one of `content_type.SUPPORTED_FORMATS`.
        width_px: of the photograph as sent, upright.
        height_px: likewise.
    """

    picture: Image.Image
    format: str
    width_px: int
    height_px: int


def decode(body: bytes, *, max_pixels: int, short_side_px: int) -> Photograph | Refusal:
    """Decode a whole photograph, down to a picture with the short side that is asked for.

    Args:
        body: bytes of any kind.
        max_pixels: more than this, by the header and before anything is decoded, is refused. Bounds memory at about 12 bytes a
            pixel.
        short_side_px: of the picture; smaller photographs are not enlarged.
    """
    if not body:
        return Refusal("empty", "The file has no bytes.")
    found = content_type(body)
    if found.name not in SUPPORTED_FORMATS:
        if found.is_image:
            return Refusal("unsupported_format", f"This is {found.name.upper()}; JPEG, PNG and WebP are taken.")
        return Refusal("not_an_image", f"The content is {found.name}, whatever the file is called; JPEG, PNG and WebP are taken.")
    if refusal := _container_refusal(body, found.name, max_pixels):
        return refusal
    try:
        # Pillow's warnings (odd EXIF, large pictures) say nothing that is not decided here. The filter is the process's, so
        # that two threads may leave it in place: then it goes on muting the same warnings, and nothing else.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            return _decode(body, found.name, max_pixels, short_side_px)
    except Image.DecompressionBombError:
        return _too_many_pixels("far more", max_pixels)
    except _DECODER_ERRORS as error:
        return _broken(body, found.name, error)


def _decode(body: bytes, format_name: str, max_pixels: int, short_side_px: int) -> Photograph | Refusal:
    with Image.open(io.BytesIO(body), formats=[format_name.upper()]) as image:
        width_px, height_px = image.size
        if width_px * height_px > max_pixels:
            return _too_many_pixels(f"{width_px} x {height_px}", max_pixels)
        # A second picture inside a JPEG (phones add previews and depth maps) is no animation.
        if format_name != "jpeg" and getattr(image, "n_frames", 1) > 1:
            return Refusal("animated", "The file holds several frames; one still photograph is taken.")
        if format_name == "jpeg":
            loaded = decode_jpeg(body, image, short_side_px)
        else:
            if format_name == "webp" and not is_read_to_its_end(body):
                return Refusal("corrupt", "The WebP's picture ends before its bytes do: some of them were altered or lost.")
            image.load()
            loaded = image
        orientation = _orientation(image)
        picture = _in_srgb(_shrunk(_plain_mode(loaded), short_side_px), image.info.get("icc_profile"))
    if (transpose := _TRANSPOSES.get(orientation)) is not None:
        picture = picture.transpose(transpose)
        if orientation >= 5:
            width_px, height_px = height_px, width_px
    # Pillow would write a comment that it carries along into every copy.
    picture.info = {}
    return Photograph(picture, format_name, width_px, height_px)


def _container_refusal(body: bytes, format_name: str, max_pixels: int) -> Refusal | None:
    """Refuse what the container itself shows to be cut off, too large or crowded, where Pillow would look too late."""
    if format_name == "png" and _PNG_END not in body:
        return Refusal("truncated", "The PNG ends before its IEND chunk.")
    if format_name == "webp":
        announced = int.from_bytes(body[4:8], "little") + 8
        if len(body) < announced:
            return Refusal("truncated", f"The WebP announces {announced} bytes and has {len(body)}.")
        # Pillow makes room for the whole canvas when it opens a WebP, before its size can be asked.
        width_px, height_px = canvas_size(body)
        if width_px * height_px > max_pixels:
            return _too_many_pixels(f"{width_px} x {height_px}", max_pixels)
    if crowded := crowding(body, format_name):
        return Refusal("corrupt", f"{crowded}, which no camera and no program writes.")
    return None


def _too_many_pixels(found: str, max_pixels: int) -> Refusal:
    return Refusal("too_many_pixels", f"The header announces {found} pixels; at most {max_pixels:,} are decoded.")


def _broken(body: bytes, format_name: str, error: BaseException) -> Refusal:
    """Tell a file that was cut off from one whose bytes are wrong."""
    # A whole JPEG ends with its end-of-image mark; the decoder says `truncated` when it ran out of bytes after the header.
    is_cut_off = "truncated" in str(error).lower() or (format_name == "jpeg" and b"\xff\xd9" not in body[-64:])
    if is_cut_off:
        return Refusal("truncated", f"The {format_name.upper()} of {len(body)} bytes ends before its picture does.")
    said = error if isinstance(error, DamagedJpegError) else type(error).__name__
    return Refusal("corrupt", f"The {format_name.upper()} cannot be decoded without damage ({said}).")


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1..8; 1 where there is none. Broken EXIF is no reason to refuse a sound picture."""
    try:
        found = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DECODER_ERRORS:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _plain_mode(image: Image.Image) -> Image.Image:
    """Return the picture as L, RGB or CMYK: transparency laid on white, palettes looked up, 16 bits cut to 8."""
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey at 255 when it converts; the upper byte is what is meant.
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        visible = image.convert("RGBA")
        white = Image.new("RGBA", visible.size, "white")
        white.alpha_composite(visible)
        return white.convert("RGB")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB")


def _shrunk(image: Image.Image, short_side_px: int) -> Image.Image:
    scale = min(1.0, short_side_px / min(image.size), _MAX_SIDE_PX / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if size == image.size:
        return image
    # To the eye as good as bicubic, in half the time: its filter is half as wide. Large pictures are halved by boxes first.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)


def _in_srgb(picture: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Return the picture in sRGB; a colour profile that does not parse or does not fit is left out."""
    if icc_profile:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            converted = ImageCms.profileToProfile(picture, profile, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, *_DECODER_ERRORS):
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")
