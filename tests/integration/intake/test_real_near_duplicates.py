"""Near-duplicates among real photographs, where HUB_TEST_PHOTOS names a folder of them: copies are found, other shots are not."""

import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from deep_images_hub.images.decode import Photograph, decode
from deep_images_hub.images.descriptor import GRID_SIDE, Descriptor, describe
from deep_images_hub.images.difference_hash import BAND_BITS, HASH_BITS
from deep_images_hub.images.near_duplicates import MAX_HASH_BITS, NEAR_DUPLICATE_THRESHOLD, near_duplicate_scores

SAMPLE = 200
MIN_RECALL = 0.95
MIN_PRECISION = 0.99


def descriptor_of(body: bytes) -> Descriptor:
    found = decode(body, max_pixels=100_000_000, short_side_px=256)
    assert isinstance(found, Photograph)
    return describe(found.picture)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    folder = os.environ.get("HUB_TEST_PHOTOS")
    if not folder:
        pytest.skip("HUB_TEST_PHOTOS names no folder of real photographs")
    return sorted(file for file in Path(folder).rglob("*.jpg"))


@pytest.fixture(scope="module")
def looks(files: list[Path]) -> list[Descriptor]:
    """Every photograph, in order of the files: bursts lie side by side."""
    return [descriptor_of(file.read_bytes()) for file in files]


def resized(picture: Image.Image, rng: random.Random) -> Image.Image:
    scale = rng.uniform(0.4, 1.5)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)


def cropped(picture: Image.Image, rng: random.Random) -> Image.Image:
    left, upper, right, lower = (rng.uniform(0.01, 0.05) for _ in range(4))
    width, height = picture.size
    return picture.crop((round(left * width), round(upper * height), round((1 - right) * width), round((1 - lower) * height)))


def trimmed(picture: Image.Image, rng: random.Random) -> Image.Image:
    width, height = picture.size
    return picture.crop((round(0.06 * width), round(0.06 * height), round(0.94 * width), round(0.94 * height)))


def brightened(picture: Image.Image, rng: random.Random) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(rng.uniform(0.75, 1.25))


CHANGES: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    "recompressed": lambda picture, _: picture,
    "resized": resized,
    "cropped": cropped,
    "cropped by 6 % on each side": trimmed,
    "brightened": brightened,
    "all at once": lambda picture, rng: resized(cropped(brightened(picture, rng), rng), rng),
}


def copy_of(file: Path, change: str, rng: random.Random) -> Descriptor:
    with Image.open(file) as picture:
        changed = CHANGES[change](picture.convert("RGB"), rng)
    body = io.BytesIO()
    changed.save(body, "JPEG", quality=rng.randint(30, 90))
    return descriptor_of(body.getvalue())


def near_duplicates(ones: list[Descriptor], others: list[Descriptor]) -> set[tuple[int, int]]:
    """Return the pairs of positions that the rule finds: what the catalogue's index finds and the grids confirm."""
    mask = (1 << BAND_BITS) - 1
    whole, inner = (np.array([getattr(of, name) for of in others]) for name in ("whole_hash", "inner_hash"))
    pairs = []
    for position, one in enumerate(ones):
        is_candidate = np.zeros(len(others), bool)
        for differing in (whole ^ one.whole_hash, whole ^ one.inner_hash, inner ^ one.whole_hash):
            bands = [np.bitwise_count(differing >> shift & mask) <= 1 for shift in range(0, HASH_BITS, BAND_BITS)]
            is_candidate |= np.any(bands, axis=0) & (np.bitwise_count(differing) <= MAX_HASH_BITS)
        pairs += [(position, int(other)) for other in np.flatnonzero(is_candidate)]
    if not pairs:
        return set()
    positions = np.array(pairs)
    scores = near_duplicate_scores(grids(ones)[positions[:, 0]], grids(others)[positions[:, 1]])
    return {pair for pair, score in zip(pairs, scores, strict=True) if score < NEAR_DUPLICATE_THRESHOLD}


def grids(of: list[Descriptor]) -> np.ndarray:
    return np.frombuffer(b"".join(one.grid for one in of), np.uint8).reshape(-1, GRID_SIDE, GRID_SIDE)


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found_among_all_photographs(change: str, files: list[Path], looks: list[Descriptor]) -> None:
    rng = random.Random(change)
    chosen = rng.sample(range(len(files)), min(SAMPLE, len(files)))
    found = near_duplicates([copy_of(files[at], change, rng) for at in chosen], looks)
    right = {pair for pair in found if chosen[pair[0]] == pair[1]}
    assert len(right) >= MIN_RECALL * len(chosen)
    assert len(right) >= MIN_PRECISION * len(found), [
        (files[chosen[one]].name, files[other].name) for one, other in found - right
    ]


def test_different_photographs_are_hardly_ever_taken_for_one(files: list[Path], looks: list[Descriptor]) -> None:
    # Every pair of honest photographs; some are shots of one burst that nobody would want in train and in test.
    wrong = {(one, other) for one, other in near_duplicates(looks, looks) if one < other}
    assert len(wrong) <= 0.002 * len(files), [(files[one].name, files[other].name) for one, other in sorted(wrong)]
