"""Scores of quality, on pictures whose score can be said beforehand."""

import numpy as np
import pytest

from deep_images_hub.images.quality import darkness_score, grey_level_counts, information_score, lightness_score


@pytest.mark.parametrize("seed", range(8))
def test_percentiles_from_counts_are_those_of_the_pixels(seed: int) -> None:
    random = np.random.default_rng(seed)
    levels = random.choice(256, size=random.integers(1, 40))
    luma = random.choice(levels, size=(int(random.integers(1, 60)), int(random.integers(1, 60)))).astype(np.uint8)
    counts = grey_level_counts(luma)
    assert darkness_score(counts) == pytest.approx(np.percentile(luma, 95) / 255)
    assert lightness_score(counts) == pytest.approx(1 - np.percentile(luma, 1) / 255)


def test_scores_run_from_the_worst_picture_to_the_best() -> None:
    black, white = (grey_level_counts(np.full((8, 8), level, np.uint8)) for level in (0, 255))
    every_level = grey_level_counts(np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert (darkness_score(black), darkness_score(white)) == (0, 1)
    assert (lightness_score(white), lightness_score(black)) == (0, 1)
    assert (information_score(white), information_score(every_level)) == (0, pytest.approx(1))
