"""Defects that the simulator plants, so that verification can be scored against what is known to be true."""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.decode import Refusal, decode

_ORIENTATION_TAG = 0x0112
# EXIF orientation that undoes a turn of the pixels by so many degrees, against the clock.
_ROTATED = {90: 6, 180: 3, 270: 8}
_MAX_PIXELS = 200_000_000
_WORKING_SIDE_PX = 2000
_HTML = b"""<!DOCTYPE html>
<html><head><title>403 Forbidden</title></head>
<body><h1>Forbidden</h1><p>You do not have access to this photograph.</p></body></html>
"""


@dataclass(frozen=True)
class Defect:
    """One kind of defect.

    Attributes:
        expected_reason: why intake has to reject it; None: intake has to accept it.
        default_rate: its share of a rendered crowd's photographs.
        meaning: for people.
    """

    expected_reason: str | None
    default_rate: float
    meaning: str


DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {
        "truncated": Defect("truncated", 0.015, "the upload broke off"),
        "html": Defect("not_an_image", 0.01, "an error page, saved under a photograph's name"),
        "exact_duplicate": Defect("exact_duplicates", 0.02, "the same file again, in the same batch or in a later one"),
        "near_duplicate": Defect(None, 0.02, "the same photograph recompressed, resized, cropped a little or brightened"),
        "blurry": Defect("blurry", 0.015, "out of focus"),
        "dark": Defect("dark", 0.015, "nearly black"),
        "rotated_exif": Defect(None, 0.02, "lies on its side, and EXIF says how to turn it"),
        "cmyk": Defect(None, 0.01, "a JPEG for printers"),
        "alpha": Defect(None, 0.01, "a PNG with a transparent border"),
        "wrong_label": Defect(None, 0.01, "an honest photograph of something else"),
    }
)
# A matter of which photograph is sent: its bytes stay as they are.
UNCHANGED = frozenset({"exact_duplicate", "wrong_label"})
NO_DEFECTS: Mapping[str, float] = MappingProxyType({})
DEFAULT_RATES: Mapping[str, float] = MappingProxyType({name: defect.default_rate for name, defect in DEFECTS.items()})


def rates_from_text(text: str) -> Mapping[str, float]:
    """Read the rates of defects: `none`, `default`, or a list such as `truncated=0.02,dark=0.01` (the others are 0).

    Raises:
        InvalidInputError: a defect is unknown, or rates are no shares or make more than one.
    """
    if text == "none":
        return NO_DEFECTS
    if text == "default":
        return DEFAULT_RATES
    rates: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        if name.strip() not in DEFECTS:
            raise InvalidInputError(
                f"{name.strip()!r} is no defect. Expected none, default, or DEFECT=SHARE of: {', '.join(DEFECTS)}."
            )
        try:
            rates[name.strip()] = float(share)
        except ValueError as error:
            raise InvalidInputError(f"{part!r} was given. Expected DEFECT=SHARE, such as truncated=0.02.") from error
    if not all(0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1:
        raise InvalidInputError(f"The shares {text!r} are not between 0 and 1, or make more than 1 together.")
    return rates


def plant(body: bytes, defect: str, rng: random.Random) -> tuple[bytes, str]:
    """Return a photograph with a defect, and the suffix that it is sent under.

    Args:
        body: an honest photograph.
        defect: one of DEFECTS, but none of UNCHANGED.

    Raises:
        InvalidInputError: the photograph cannot be decoded, and has to be for this defect.
    """
    if defect == "truncated":
        return body[: round(len(body) * rng.uniform(0.25, 0.9))], ".jpg"
    if defect == "html":
        # Pages carry a number, as real ones do: else all of them would be one file.
        return _HTML + f"<!-- request {rng.getrandbits(64):016x} -->\n".encode(), ".jpg"
    photograph = decode(body, max_pixels=_MAX_PIXELS, short_side_px=_WORKING_SIDE_PX)
    if isinstance(photograph, Refusal):
        raise InvalidInputError(
            f"A defect was to be planted into a photograph that is broken already ({photograph.detail}). "
            "Remove it from the source, or simulate with --defects none."
        )
    return _spoiled(photograph.picture, defect, rng)


def _spoiled(picture: Image.Image, defect: str, rng: random.Random) -> tuple[bytes, str]:
    short_px = min(picture.size)
    if defect == "blurry":
        return _jpeg(picture.filter(ImageFilter.GaussianBlur(short_px / 256 * rng.uniform(4, 7)))), ".jpg"
    if defect == "dark":
        brightest = max(1, int(np.asarray(picture).max()))
        return _jpeg(ImageEnhance.Brightness(picture).enhance(rng.uniform(0.06, 0.14) * 255 / brightest)), ".jpg"
    if defect == "rotated_exif":
        degrees = rng.choice(tuple(_ROTATED))
        exif = Image.Exif()
        exif[_ORIENTATION_TAG] = _ROTATED[degrees]
        return _jpeg(picture.rotate(degrees, expand=True), exif=exif.tobytes()), ".jpg"
    if defect == "cmyk":
        return _jpeg(picture.convert("CMYK")), ".jpg"
    if defect == "alpha":
        return _with_clear_border(picture), ".png"
    return _nearly_the_same(picture, rng), ".jpg"


def _nearly_the_same(picture: Image.Image, rng: random.Random) -> bytes:
    way = rng.choice(("recompressed", "resized", "cropped", "brightened"))
    if way == "resized":
        scale = rng.uniform(0.86, 0.97)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    elif way == "cropped":
        cut_x, cut_y = (round(side * rng.uniform(0.004, 0.012)) for side in picture.size)
        picture = picture.crop((cut_x, cut_y, picture.width - cut_x, picture.height - cut_y))
    elif way == "brightened":
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(1.04, 1.15))
    return _jpeg(picture, quality=rng.randint(60, 76))


def _with_clear_border(picture: Image.Image) -> bytes:
    border = min(picture.size) // 24
    alpha = Image.new("L", picture.size)
    alpha.paste(255, (border, border, picture.width - border, picture.height - border))
    clear = picture.copy()
    clear.putalpha(alpha)
    body = io.BytesIO()
    clear.save(body, "PNG", compress_level=1)
    return body.getvalue()


def _jpeg(picture: Image.Image, quality: int = 88, exif: bytes = b"") -> bytes:
    body = io.BytesIO()
    picture.save(body, "JPEG", quality=quality, exif=exif)
    return body.getvalue()
