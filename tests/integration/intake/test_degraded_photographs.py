"""How much blur and darkness intake finds: in real photographs where HUB_TEST_PHOTOS names a folder, else in drawn ones."""

import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from deep_images_hub.images.examine import examine, limits_from_settings
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import render

SAMPLE = 24


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    if not (folder := os.environ.get("HUB_TEST_PHOTOS")):
        return [opened(render(0, label, number)) for label in PRODUCTS for number in range(SAMPLE // len(PRODUCTS))]
    files = sorted(Path(folder).rglob("*.jpg"))
    assert len(files) >= SAMPLE, f"HUB_TEST_PHOTOS={folder} holds {len(files)} photographs; expected at least {SAMPLE}"
    return [opened(file.read_bytes()) for file in random.Random(0).sample(files, SAMPLE)]


def opened(body: bytes) -> Image.Image:
    with Image.open(io.BytesIO(body)) as picture:
        return picture.convert("RGB")


def out_of_focus(radius_px: float) -> Callable[[Image.Image], Image.Image]:
    """Blur by a radius that is meant for a short side of 256 px."""
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(radius_px * min(picture.size) / 256))


def moved(length_px: int, degrees: int) -> Callable[[Image.Image], Image.Image]:
    """Let the camera move along a line, by so many pixels of a short side of 256."""

    def move(picture: Image.Image) -> Image.Image:
        length = length_px * min(picture.size) / 256
        across, down = length * np.cos(np.radians(degrees)), length * np.sin(np.radians(degrees))
        seen = [
            np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, at, Image.Resampling.BILINEAR), dtype=np.float64)
            for share in np.linspace(-0.5, 0.5, round(length) + 1)
            for at in [(1, 0, share * across, 0, 1, share * down)]
        ]
        margin = round(length / 2) + 1
        mean = Image.fromarray(np.mean(seen, axis=0).round().astype(np.uint8))
        return mean.crop((margin, margin, mean.width - margin, mean.height - margin))

    return move


def darkened(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: ImageEnhance.Brightness(picture).enhance(factor)


# What is done to photographs, the check that has to refuse them, and the least share of them that it refuses.
DEGRADATIONS: dict[str, tuple[Callable[[Image.Image], Image.Image], str, float]] = {
    "out of focus by 2.5 px": (out_of_focus(2.5), "blurry", 0.85),
    "out of focus by 3 px": (out_of_focus(3), "blurry", 0.95),
    "out of focus by 6 px": (out_of_focus(6), "blurry", 1.0),
    "moved across": (moved(20, 0), "blurry", 0.95),
    "moved down": (moved(20, 90), "blurry", 0.95),
    "moved along a slanted line": (moved(20, 45), "blurry", 0.75),
    "a quarter as bright": (darkened(0.25), "dark", 0.95),
    "a tenth as bright": (darkened(0.1), "dark", 1.0),
}


@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_degraded_photographs_are_refused(pictures: list[Image.Image], degradation: str) -> None:
    degrade, check, least_share = DEGRADATIONS[degradation]
    limits = limits_from_settings(Settings())
    scores = []
    for picture in pictures:
        body = io.BytesIO()
        degrade(picture).save(body, "JPEG", quality=88)
        scores.append(next(verdict for verdict in examine(body.getvalue(), limits).verdicts if verdict.check_name == check))
    refused = [verdict for verdict in scores if verdict.outcome == "fail"]
    assert len(refused) >= least_share * len(scores), sorted(verdict.score or 0 for verdict in scores)


def test_photographs_as_they_are_are_kept(pictures: list[Image.Image]) -> None:
    limits = limits_from_settings(Settings())
    refused = 0
    for picture in pictures:
        body = io.BytesIO()
        picture.save(body, "JPEG", quality=88)
        refused += examine(body.getvalue(), limits).reason is not None
    assert refused <= 0.02 * len(pictures)
