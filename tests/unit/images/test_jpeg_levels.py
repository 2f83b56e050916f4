"""Damage inside JPEGs that libjpeg does not notice; tests/integration/intake/test_real_photographs.py repeats it on real ones."""

import io
import random

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from deep_images_hub.images.decode import Photograph, Refusal, decode
from deep_images_hub.images.jpeg_levels import shift_evidence
from tests.unit.images.photographs import MAX_PIXELS, encoded

UNIT_PX = (16, 16)
SIZE_PX = (640, 480)


def landscape(seed: int = 0, size: tuple[int, int] = SIZE_PX) -> NDArray[np.uint8]:
    """Draw something with as much of each detail, coarse to fine, as photographs have."""
    rng = np.random.default_rng(seed)
    levels = np.full((size[1], size[0], 3), 128.0)
    for cells in (3, 6, 12, 24, 48, 96):
        noise = rng.normal(0, 1, (cells, cells, 1)) + rng.normal(0, 0.3, (cells, cells, 3))
        for colour in range(3):
            layer = Image.fromarray(noise[..., colour].astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
            levels[..., colour] += np.asarray(layer) * 60 / cells**0.5
    return np.clip(levels + rng.normal(0, 2, levels.shape), 0, 255).astype(np.uint8)


def shifted(pixels: NDArray[np.uint8], row: int, column: int, levels: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Shift all that follows a unit."""
    found = pixels.astype(int)
    top, bottom, left = row * UNIT_PX[1], (row + 1) * UNIT_PX[1], column * UNIT_PX[0]
    found[top:bottom, left:] += levels
    found[bottom:] += levels
    return np.clip(found, 0, 255).astype(np.uint8)


def evidence_in(pixels: NDArray[np.uint8]) -> float:
    return shift_evidence(pixels, UNIT_PX, is_full_size=True)


@pytest.mark.parametrize("levels", [(20, 20, 20), (-25, -25, -25), (14, -7, 0), (0, -6, 34), (90, 90, 90)], ids=str)
@pytest.mark.parametrize(("row", "column"), [(2, 9), (14, 20), (25, 33)])
def test_shift_of_all_that_follows_a_unit_is_evident(row: int, column: int, levels: tuple[int, int, int]) -> None:
    pixels = landscape()
    assert evidence_in(pixels) < 0.05
    assert evidence_in(shifted(pixels, row, column, levels)) > 0.3


def test_shift_is_looked_for_where_units_are() -> None:
    pixels = shifted(landscape(), 14, 20, (30, 30, 30))
    assert evidence_in(pixels[7:]) < 0.05
    assert shift_evidence(pixels, (8, 8), is_full_size=True) < 0.05


@pytest.mark.parametrize("slope_px", [0, 3, 9, 16, 40])
@pytest.mark.parametrize("top_px", [224, 225, 232, 239])
def test_straight_edge_of_a_thing_is_no_shift(top_px: int, slope_px: int) -> None:
    below = np.arange(SIZE_PX[1])[:, None] - top_px - np.arange(SIZE_PX[0]) * slope_px / SIZE_PX[0]
    share = np.clip(below, 0, 1)[..., None]
    pixels = (landscape(1) * (1 - share) + landscape(2) * 0.6 * share).astype(np.uint8)
    assert evidence_in(pixels) < 0.05


@pytest.mark.parametrize("seed", range(30))
def test_drawing_of_boxes_that_lie_where_units_do_is_no_shift(seed: int) -> None:
    rng = random.Random(seed)
    drawing = Image.new("RGB", SIZE_PX, "white")
    palette = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(4)]
    for _ in range(rng.randrange(5, 40)):
        left, top = rng.randrange(40) * 16, rng.randrange(30) * 16
        right, bottom = left + rng.randrange(1, 30) * 16 - 1, top + rng.randrange(1, 12) * 16 - 1
        ImageDraw.Draw(drawing).rectangle((left, top, right, bottom), fill=rng.choice(palette))
    assert evidence_in(np.asarray(drawing)) < 0.15


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 40), (96, 64)])
def test_picture_of_few_units_shows_no_shift(size: tuple[int, int]) -> None:
    assert evidence_in(landscape(size=size)) < 0.05


def unnoticed_damage(body: bytes, count: int) -> list[bytes]:
    """Damage a JPEG again and again, and return what libjpeg finds nothing wrong with though a tenth of the pixels is."""
    rng = random.Random(0)
    sound = simplejpeg.decode_jpeg(body).astype(int)
    begin = body.index(b"\xff\xda") + 20
    found = []
    while len(found) < count:
        at = rng.randrange(begin, len(body) - 200)
        filling = rng.choice([bytes(64), rng.randbytes(64).replace(b"\xff", b"\xfe"), bytes([body[at] ^ 1 << rng.randrange(8)])])
        damaged = body[:at] + filling + body[at + len(filling) :]
        try:
            pixels = simplejpeg.decode_jpeg(damaged)
        except ValueError:
            continue
        if (np.abs(pixels - sound).max(axis=2) > 12).mean() > 0.1:
            found.append(damaged)
    return found


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("short_side_px", [120, 480])
def test_most_damage_that_the_decoder_does_not_notice_is_refused(subsampling: int, short_side_px: int) -> None:
    body = encoded(Image.fromarray(landscape()), quality=85, subsampling=subsampling)
    assert isinstance(decode(body, max_pixels=MAX_PIXELS, short_side_px=short_side_px), Photograph)
    found = [decode(damaged, max_pixels=MAX_PIXELS, short_side_px=short_side_px) for damaged in unnoticed_damage(body, 20)]
    reasons = [one.reason for one in found if isinstance(one, Refusal)]
    assert len(reasons) >= 13
    assert set(reasons) == {"corrupt"}


def test_same_photograph_with_other_codings_is_taken() -> None:
    for number, quality in enumerate((30, 60, 90, 100)):
        for options in ({"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"progressive": True}, {"optimize": True}):
            body = encoded(Image.fromarray(landscape(number)), quality=quality, **options)
            with Image.open(io.BytesIO(body)) as opened:
                assert isinstance(decode(body, max_pixels=MAX_PIXELS, short_side_px=opened.height // 3), Photograph)
