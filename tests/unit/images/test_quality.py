"""Scores of quality, on pictures whose score can be said beforehand."""

import io
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deep_images_hub.images.decode import Photograph, decode
from deep_images_hub.images.quality import (
    darkness_score,
    information_score,
    lightness_score,
    sharpness_score,
)
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.scenes import render


def grey_level_counts(luma: np.ndarray) -> np.ndarray:
    return np.array(Image.fromarray(luma).histogram())


@pytest.mark.parametrize("seed", range(8))
def test_percentiles_from_counts_are_those_of_the_pixels(seed: int) -> None:
    random = np.random.default_rng(seed)
    levels = random.choice(256, size=random.integers(1, 40))
    luma = random.choice(levels, size=(int(random.integers(1, 60)), int(random.integers(1, 60)))).astype(np.uint8)
    counts = grey_level_counts(luma)
    assert darkness_score(counts) == pytest.approx(np.percentile(luma, 95) / 255)
    assert lightness_score(counts) == pytest.approx(1 - np.percentile(luma, 1) / 255)


RADII_PX = (*range(1, 11), 14, 20, 25, 30, 40)


def drawn(label: str) -> Image.Image:
    found = decode(render(0, label, 3), max_pixels=10_000_000, short_side_px=256)
    assert isinstance(found, Photograph)
    return found.picture


def blurred_more_and_more(picture: Image.Image) -> Iterator[float]:
    """Yield the sharpness of a picture that is out of focus by each radius, and stored as a JPEG, as cameras do."""
    for radius_px in RADII_PX:
        body = io.BytesIO()
        picture.filter(ImageFilter.GaussianBlur(radius_px)).save(body, "JPEG", quality=90)
        yield sharpness_score(np.asarray(Image.open(body).convert("L")))


@pytest.mark.parametrize("label", ["Apple", "Striped mug", "Crunch cereal box"])
def test_more_blur_never_scores_higher(label: str) -> None:
    assert_falls(list(blurred_more_and_more(drawn(label))))


@pytest.mark.parametrize("number", range(6))
def test_more_blur_of_a_real_photograph_never_scores_higher(number: int) -> None:
    if not (folder := os.environ.get("HUB_TEST_PHOTOS")):
        pytest.skip("HUB_TEST_PHOTOS names no folder of real photographs")
    files = sorted(Path(folder).rglob("*.jpg"))
    found = decode(files[number * len(files) // 6].read_bytes(), max_pixels=50_000_000, short_side_px=256)
    assert isinstance(found, Photograph)
    assert_falls(list(blurred_more_and_more(found.picture)))


def assert_falls(scores: list[float]) -> None:
    """Accept what a JPEG's own rounding does, far below any threshold."""
    assert all(more <= less + 0.01 for less, more in itertools.pairwise(scores)), scores
    assert scores[-1] < 0.05


def moved(picture: Image.Image, along: tuple[int, int], length: int = 25) -> Image.Image:
    """Return what a camera sees that moves while it looks, by so many steps across and down."""
    pixels = np.asarray(picture.convert("L")).astype(np.float64)
    steps = range(-(length // 2), length // 2 + 1)
    seen = sum(np.roll(pixels, (step * along[1], step * along[0]), axis=(0, 1)) for step in steps) / length
    inner = seen[length:-length, length:-length]
    return Image.fromarray(inner.round().astype(np.uint8))


@pytest.mark.parametrize("along", [(1, 0), (0, 1), (1, 1), (1, -1)], ids=["across", "down", "falling", "rising"])
def test_photograph_of_a_moved_camera_is_blurry_along_every_line(along: tuple[int, int]) -> None:
    threshold = Settings().blurry_threshold
    sharp = drawn("Orbit soda can")
    assert sharpness_score(np.asarray(sharp.convert("L"))) > threshold
    assert sharpness_score(np.asarray(moved(sharp, along))) < threshold


def test_surface_without_detail_has_no_sharpness() -> None:
    ramp = np.linspace(90, 140, 256).round().astype(np.uint8)
    assert sharpness_score(np.tile(ramp, (256, 1))) == 0


def test_scores_run_from_the_worst_picture_to_the_best() -> None:
    black, white = (grey_level_counts(np.full((8, 8), level, np.uint8)) for level in (0, 255))
    every_level = grey_level_counts(np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert (darkness_score(black), darkness_score(white)) == (0, 1)
    assert (lightness_score(white), lightness_score(black)) == (0, 1)
    assert (information_score(white), information_score(every_level)) == (0, pytest.approx(1))
