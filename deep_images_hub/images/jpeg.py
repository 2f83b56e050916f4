"""Decode JPEGs strictly: libjpeg paints over damage and only warns of it, and Pillow does not pass its warnings on.

Damage that libjpeg does not even notice is looked for in the pixels, by `jpeg_levels`.

docs/experiments.md says which damage is found, and which is not.
"""

import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from deep_images_hub.images.jpeg_levels import CODED_UNIT_PX, shift_evidence

# What libjpeg says where the bytes of the picture are not those that were written. What else it says does no harm where it was
# met: in some phones' scan headers are other numbers than the standard asks for, and some cameras write a byte more at the end.
# Only its first warning is told: damage behind a harmless one goes to Pillow unseen.
_DAMAGE = re.compile(r"Corrupt JPEG data: (?![12] extraneous bytes before marker 0xd9)|Premature end of JPEG file")
_LEFT_OVER = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")
# Bytes that libjpeg has fetched when the last pixel is decoded, and does not count as left over.
_FETCHED_BYTES = 8
# Honest photographs reach 0.05: docs/experiments.md.
_SHIFT_EVIDENCE = 0.15
# A slanted edge may look like a shift where a pixel stands for many. Where there is so much evidence, all pixels are asked.
_SOME_SHIFT_EVIDENCE = 0.03
_EIGHTHS = 8
_COLOUR_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
# How those begin that we write: 20 bytes of JFIF, then a quantisation table. EXIF, a profile or a comment would come between.
_PLAIN_START, _PLAIN_NEXT = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", b"\xff\xdb"


class DamagedJpegError(ValueError):
    """Bytes of the picture are missing or altered; the message is libjpeg's, where it noticed."""


def decode_jpeg(body: bytes, opened: Image.Image, short_side_px: int) -> Image.Image:
    """Return the pixels of a JPEG: L, RGB or CMYK, decoded at some eighths of its size where that is enough.

    Each pixel then stands for several. The whole stream is read all the same, so that what is cut off shows.

    Args:
        body: the whole file; what lies behind the picture is not looked at.
        opened: the same, opened by Pillow, not loaded.
        short_side_px: what the short side has at least, or the photograph's own where that is shorter.

    Raises:
        DamagedJpegError: whether it can be seen in the picture or not.
        OSError: and whatever else Pillow raises where it cannot be decoded at all.
    """
    enough_px = min(short_side_px, *opened.size)
    try:
        height_px, width_px, _, subsampling = simplejpeg.decode_jpeg_header(body)
        # Where the two read different headers, the size that was checked is the one that counts.
        if (width_px, height_px) == opened.size and opened.mode in _COLOUR_SPACES:
            colours = _COLOUR_SPACES[opened.mode]
            pixels = simplejpeg.decode_jpeg(body, colorspace=colours, min_width=enough_px, min_height=enough_px)
            # Of four colours, Pillow knows which programs write them inverted.
            if opened.mode != "CMYK":
                if opened.mode == "RGB" and _is_shifted(body, pixels, width_px, CODED_UNIT_PX.get(subsampling)):
                    raise DamagedJpegError("behind some place all of it is shifted in brightness or colour")
                return Image.fromarray(pixels.squeeze(-1) if opened.mode == "L" else pixels)
    except DamagedJpegError:
        raise
    except ValueError as error:
        if _DAMAGE.search(str(error)) and not _is_padded(body, str(error)):
            raise DamagedJpegError(str(error)) from error
    # Also for what simplejpeg does not take, such as odd subsampling. Pillow goes by halves, not by eighths.
    opened.draft(None, (enough_px, enough_px))
    opened.load()
    return opened


def decode_plain_jpeg(body: bytes, short_side_px: int) -> NDArray[np.uint8] | None:
    """Return the pixels (height, width, 3) of a picture as we store it: RGB, upright, of that short side.

    None where it is not one of those, or is damaged. `decode` takes all, and comes to the same by a longer way.
    """
    if not (body.startswith(_PLAIN_START) and body.startswith(_PLAIN_NEXT, 20)):
        return None
    try:
        height_px, width_px, colours, _ = simplejpeg.decode_jpeg_header(body)
        if colours != "YCbCr" or min(width_px, height_px) != short_side_px:
            return None
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(body, colorspace="RGB")
    except ValueError:
        return None
    return pixels


def _is_shifted(body: bytes, pixels: NDArray[np.uint8], whole_width_px: int, unit_px: tuple[int, int] | None) -> bool:
    """Tell whether all that follows some place of a picture is shifted by a constant, by its pixels at the size they have."""
    if unit_px is None:
        return False
    eighths = pixels.shape[1] * _EIGHTHS // whole_width_px
    if eighths < _EIGHTHS:
        shrunk_unit_px = (unit_px[0] * eighths // _EIGHTHS, unit_px[1] * eighths // _EIGHTHS)
        if shift_evidence(pixels, shrunk_unit_px, is_full_size=False) < _SOME_SHIFT_EVIDENCE:
            return False
        pixels = simplejpeg.decode_jpeg(body, colorspace="RGB")
    return shift_evidence(pixels, unit_px, is_full_size=True) > _SHIFT_EVIDENCE


def _is_padded(body: bytes, warning: str) -> bool:
    """Tell whether all that libjpeg complains of are zeros behind the last pixel, before the end mark: some writers fill up so.

    Zeros in the place of pixels are read as some: then fewer are left over than there are.
    """
    left_over = _LEFT_OVER.search(warning)
    if left_over is None:
        return False
    count = int(left_over[1])
    return re.search(rb"(?<!\x00)\x00{%d,%d}\xff\xd9" % (count, count + _FETCHED_BYTES), body) is not None
