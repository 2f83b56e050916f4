"""Descriptors and the rule of near-duplicates, on rendered photographs; real ones are in tests/integration/intake."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from deep_images_hub.images.descriptor import GRID_SIDE, Descriptor, describe
from deep_images_hub.images.difference_hash import BAND_BITS, BANDS, HASH_BITS, difference_hash, hamming_distance
from deep_images_hub.images.near_duplicates import MAX_HASH_BITS, NEAR_DUPLICATE_THRESHOLD, near_duplicate_scores
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import render
from tests.unit.images.photographs import encoded

LABELS = tuple(PRODUCTS)[:8]


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body)).convert("RGB")


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    return [opened(render(3, label, index)) for label in LABELS for index in range(2)]


def cropped(picture: Image.Image, left: float, upper: float, right: float, lower: float) -> Image.Image:
    width, height = picture.size
    return picture.crop((round(left * width), round(upper * height), round((1 - right) * width), round((1 - lower) * height)))


def resized(picture: Image.Image, scale: float) -> Image.Image:
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)


COPIES = {
    "recompressed": lambda picture: picture,
    "smaller": lambda picture: resized(picture, 0.4),
    "larger": lambda picture: resized(picture, 1.5),
    "cropped": lambda picture: cropped(picture, 0.04, 0.02, 0.03, 0.05),
    "cropped on one side": lambda picture: cropped(picture, 0.05, 0, 0, 0),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.25),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.75),
    "all at once": lambda picture: resized(cropped(ImageEnhance.Brightness(picture).enhance(0.8), 0.02, 0.03, 0.02, 0.03), 0.6),
}


def grids(descriptors: list[Descriptor]) -> np.ndarray:
    return np.frombuffer(b"".join(of.grid for of in descriptors), np.uint8).reshape(-1, GRID_SIDE, GRID_SIDE)


def is_candidate(one: Descriptor, other: Descriptor) -> bool:
    """Say what the catalogue's index finds."""
    mask = (1 << BAND_BITS) - 1
    frames = ((one.whole_hash, other.whole_hash), (one.inner_hash, other.whole_hash), (one.whole_hash, other.inner_hash))
    return any(
        hamming_distance(a, b) <= MAX_HASH_BITS
        and any(hamming_distance(a >> shift & mask, b >> shift & mask) <= 1 for shift in range(0, HASH_BITS, BAND_BITS))
        for a, b in frames
    )


@pytest.mark.parametrize("change", COPIES)
def test_copies_are_found_and_confirmed(change: str, photographs: list[Image.Image]) -> None:
    quality = random.Random(change)
    originals = [describe(picture) for picture in photographs]
    copies = [describe(opened(encoded(COPIES[change](picture), quality=quality.randint(30, 90)))) for picture in photographs]

    scores = near_duplicate_scores(grids(originals), grids(copies))

    is_found = [is_candidate(one, other) for one, other in zip(originals, copies, strict=True)]
    assert sum(is_found & (scores < NEAR_DUPLICATE_THRESHOLD)) >= len(photographs) - 1, scores
    assert np.array_equal(scores, near_duplicate_scores(grids(copies), grids(originals)))


def test_different_photographs_are_no_near_duplicates(photographs: list[Image.Image]) -> None:
    of = grids([describe(picture) for picture in photographs])
    one, other = np.triu_indices(len(of), k=1)

    scores = near_duplicate_scores(of[one], of[other])

    assert (scores >= 5 * NEAR_DUPLICATE_THRESHOLD).all(), np.sort(scores)[:5]
    assert (scores <= 1).all()


def test_other_product_in_the_same_place_is_no_near_duplicate(photographs: list[Image.Image]) -> None:
    one, other = photographs[0].copy(), photographs[0].copy()
    middle = (one.width // 3, one.height // 3)
    other.paste(photographs[5].resize((one.width // 3, one.height // 3)), middle)

    (score,) = near_duplicate_scores(grids([describe(one)]), grids([describe(other)]))

    assert score > NEAR_DUPLICATE_THRESHOLD


def test_same_picture_scores_0_and_even_surfaces_are_unlike_everything(photographs: list[Image.Image]) -> None:
    even = describe(Image.new("RGB", (300, 200), (90, 90, 90)))
    some = describe(photographs[0])

    scores = near_duplicate_scores(grids([some, even, even]), grids([some, even, some]))

    assert scores.tolist() == [0, 1, 1]


def test_no_pairs_have_no_scores() -> None:
    none = np.zeros((0, GRID_SIDE, GRID_SIDE), np.uint8)
    assert near_duplicate_scores(none, none).shape == (0,)


def test_hash_is_of_60_bits_that_are_dealt_to_the_bands_in_turn() -> None:
    rising = Image.fromarray(np.tile(np.arange(96, dtype=np.uint8), (96, 1)))
    found = difference_hash(rising)

    # Of each row of seven cells all six neighbours rise; down the columns nothing does.
    assert found.bit_count() == 30
    assert [(found >> shift & ((1 << BAND_BITS) - 1)).bit_count() for shift in (0, 20, 40)] == [10, 10, 10]
    assert BANDS * BAND_BITS == HASH_BITS
    assert difference_hash(rising.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (2000, 30), (256, 256)])
def test_picture_of_any_shape_has_a_descriptor(size: tuple[int, int]) -> None:
    found = describe(Image.new("RGB", size, "white"))
    assert (found.whole_hash, found.inner_hash, len(found.grid)) == (0, 0, GRID_SIDE**2)
