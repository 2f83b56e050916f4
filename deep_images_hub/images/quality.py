"""Scores of a picture's technical quality: CleanVision's names and direction (0..1, lower is worse), formulas of our own.

Every score but the size is taken from the picture whose short side is 256 px, so that it means the same for every camera. The
thresholds are settings; `docs/experiments.md` says how they were found.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_images_hub.images.decode import Photograph
from deep_images_hub.settings import Settings
from deep_images_hub.verdicts import QUALITY_REASONS, Verdict

# Brightness is judged by these percentiles: a few lamps do not make a night bright, a few shadows do not save an overexposed
# picture.
_BRIGHT_PERCENTILE = 95
_SHADOW_PERCENTILE = 1
_GREY_LEVELS = 256
_HISTOGRAM_BINS = 64
# Sharpness is judged by the fourth sharpest of sixteen tiles: a sharp product before a blurred background is no blurred picture.
_TILES_PER_SIDE = 4
_SHARP_TILES = 4
_BLUR_PX = 9
# Along a diagonal, where neighbours lie 1.4 px apart.
_DIAGONAL_BLUR_STEPS = 7
# Colour is judged in cells of so many pixels, which the colour noise of a grey photograph's JPEG does not fill, and in the most
# colourful hundredth of them: one lemon on a grey table is a picture in colour.
_COLOUR_CELL_PX = 8
_COLOURFUL_PERCENTILE = 99
# Differences of less than this many grey levels a pixel are noise, and weigh like a flat surface.
_NOISE_LEVELS = 0.5
# A smooth surface is stored in whole grey levels, as stairs: a single level between neighbours is the rounding, and no detail.
_ROUNDING_LEVELS = 1


@dataclass(frozen=True)
class QualityThresholds:
    """Scores below these do not pass the check of the same name: they fail it.

    Attributes:
        grayscale_outcome: what becomes of pictures without colour, `flag` or `fail`. They are no worse than others.
    """

    odd_size: float
    odd_aspect_ratio: float
    dark: float
    light: float
    low_information: float
    blurry: float
    grayscale: float
    grayscale_outcome: str


def thresholds_from_settings(settings: Settings) -> QualityThresholds:
    """Return the thresholds that the settings name."""
    return QualityThresholds(
        odd_size=min(1.0, settings.min_side_px / settings.image_side_px),
        odd_aspect_ratio=settings.odd_aspect_ratio_threshold,
        dark=settings.dark_threshold,
        light=settings.light_threshold,
        low_information=settings.low_information_threshold,
        blurry=settings.blurry_threshold,
        grayscale=settings.grayscale_threshold,
        grayscale_outcome=settings.grayscale_outcome,
    )


def quality_verdicts(
    photograph: Photograph, luma: Image.Image, thresholds: QualityThresholds, *, full_side_px: int
) -> tuple[Verdict, ...]:
    """Score a photograph by every check of `verdicts.QUALITY_REASONS`, in that order, passed or not.

    Args:
        luma: its picture in grey.
        full_side_px: the short side from which on a photograph's size is beyond reproach (score 1).
    """
    counts = np.array(luma.histogram())
    short_px, long_px = sorted((photograph.width_px, photograph.height_px))
    scores = {
        "odd_size": min(1.0, short_px / full_side_px),
        "odd_aspect_ratio": short_px / long_px,
        "dark": darkness_score(counts),
        "light": lightness_score(counts),
        "low_information": information_score(counts),
        "blurry": sharpness_score(np.asarray(luma)),
        "grayscale": colour_score(photograph.picture),
    }
    details = {
        "odd_size": f"{photograph.width_px} x {photograph.height_px} pixels",
        "odd_aspect_ratio": f"{photograph.width_px} x {photograph.height_px} pixels",
    }
    below = {"grayscale": thresholds.grayscale_outcome}
    return tuple(
        _verdict(name, scores[name], getattr(thresholds, name), below.get(name, "fail"), details.get(name))
        for name in QUALITY_REASONS
    )


def _verdict(name: str, score: float, threshold: float, outcome_below: str, detail: str | None) -> Verdict:
    # The ledger keeps four digits: enough to move a threshold, and the same on every processor.
    score = round(score, 4)
    return Verdict(name, outcome_below if score < threshold else "pass", score, threshold, detail)


def quality_score(verdicts: Iterable[Verdict]) -> float:
    """Return the lowest of a photograph's scores, 0..1. Its colour does not count: black and white is a choice, not a fault."""
    return min(verdict.score for verdict in verdicts if verdict.score is not None and verdict.check_name != "grayscale")


def darkness_score(counts: NDArray[np.int64]) -> float:
    """Return how bright the bright parts of a picture are: 0 all black, 1 where the brightest twentieth is white.

    Args:
        counts: of its grey levels, (256,).
    """
    return _percentile(counts, _BRIGHT_PERCENTILE) / 255


def lightness_score(counts: NDArray[np.int64]) -> float:
    """Return how dark the shadows of a picture are: 0 all white, 1 where the darkest hundredth is black.

    Args:
        counts: of its grey levels.
    """
    return 1 - _percentile(counts, _SHADOW_PERCENTILE) / 255


def _percentile(counts: NDArray[np.int64], percent: float) -> float:
    """Return the percentile as `np.percentile` does, between two pixels by their distance, from the counts alone."""
    up_to = np.cumsum(counts)
    place = (int(up_to[-1]) - 1) * percent / 100
    below, above = np.searchsorted(up_to, (np.floor(place), np.ceil(place)), side="right")
    return float(below + (above - below) * (place - np.floor(place)))


def information_score(counts: NDArray[np.int64]) -> float:
    """Return the entropy of a picture's grey levels, of the most that the histogram can have: 0 for one even surface.

    Args:
        counts: of its grey levels.
    """
    bins = counts.reshape(_HISTOGRAM_BINS, -1).sum(axis=1)
    shares = bins[bins > 0] / bins.sum()
    return max(0.0, float(-(shares * np.log2(shares)).sum() / np.log2(_HISTOGRAM_BINS)))


def colour_score(picture: Image.Image) -> float:
    """Return how colourful the most colourful parts of a picture are: 0 for shades of grey, 1 for pure colour.

    A sepia print is in colour by this: only what has the same red, green and blue everywhere, but for noise, is grey.

    Args:
        picture: RGB.
    """
    cells = np.asarray(picture.reduce(_COLOUR_CELL_PX)).reshape(-1, 3)
    red, green, blue = cells[:, 0], cells[:, 1], cells[:, 2]
    chroma = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return _percentile(np.bincount(chroma, minlength=_GREY_LEVELS), _COLOURFUL_PERCENTILE) / 255


def sharpness_score(luma: NDArray[np.uint8]) -> float:
    """Return how much of a picture's fine detail one more blur would take away: a blurred picture has little left to lose.

    Both axes, both diagonals and every tile of a grid are judged alone; the worst direction counts, in the sharpest tiles: what
    moved along a line is sharp across it.
    The idea is the blur effect of Crété-Roffet et al. 2007, "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric"; tiles, diagonals and the floor for noise are ours. A picture of less than 16 px a side scores 0.

    Args:
        luma: (height, width), 0..255.
    """
    if min(luma.shape) < _TILES_PER_SIDE * 4:
        return 0.0
    padded = np.pad(luma.astype(np.int16), _BLUR_PX // 2 + 1, mode="edge")
    kept = [_kept_detail(padded, step, _BLUR_PX) for step in ((0, 1), (1, 0))]
    kept += [_kept_detail(padded, step, _DIAGONAL_BLUR_STEPS) for step in ((1, 1), (1, -1))]
    return float(np.sort(np.minimum.reduce(kept), axis=None)[-_SHARP_TILES])


def _kept_detail(padded: NDArray[np.int16], step: tuple[int, int], blur_steps: int) -> NDArray[np.float64]:
    """Return, by tile, the share of the differences between neighbours along a line that a box blur along it removes.

    Args:
        padded: grey levels, with `_BLUR_PX // 2 + 1` more on each side.
        step: rows and columns from one neighbour to the next.
        blur_steps: how many neighbours the blur covers, at most `_BLUR_PX`; odd.
    """
    margin, reach = _BLUR_PX // 2 + 1, blur_steps // 2
    height_px, row_px = padded.shape[0] - 2 * margin, padded.shape[1]
    # Rows with their margins, end to end: what is worked on lies in one piece, which takes half the time of a part of each row.
    # Across the ends of rows the margins get nonsense, and are left out below.
    in_a_row, first = padded.reshape(-1), margin * row_px
    one_step = step[0] * row_px + step[1]

    def neighbour(steps: int) -> NDArray[np.int16]:
        begin = first + steps * one_step
        return in_a_row[begin : begin + height_px * row_px]

    # Everything is kept at as many times its size as the blur has steps, in whole numbers, and in few places: this is a tenth of
    # what a photograph costs.
    sharp = neighbour(1) - neighbour(0)
    np.abs(sharp, out=sharp)
    is_detail = sharp > _ROUNDING_LEVELS
    sharp *= blur_steps
    # Neighbouring box sums share all but their ends, so their difference needs no blur to be computed.
    lost = neighbour(reach + 1) - neighbour(-reach)
    np.abs(lost, out=lost)
    # A mask takes a fifth of the time of np.maximum(.., 0).
    is_detail &= lost < sharp
    np.subtract(sharp, lost, out=lost)
    lost *= is_detail
    sharp, lost = (values.reshape(height_px, row_px)[:, margin:-margin] for values in (sharp, lost))
    height, width = (side // _TILES_PER_SIDE for side in sharp.shape)
    floor = _NOISE_LEVELS * blur_steps * height * width
    kept: NDArray[np.float64] = _tile_sums(lost, height, width) / (_tile_sums(sharp, height, width) + floor)
    return kept


def _tile_sums(values: NDArray[np.int16], height: int, width: int) -> NDArray[np.int64]:
    whole = values[: height * _TILES_PER_SIDE, : width * _TILES_PER_SIDE]
    rows = whole.reshape(_TILES_PER_SIDE, height, -1).sum(axis=1, dtype=np.int32)
    sums: NDArray[np.int64] = rows.reshape(_TILES_PER_SIDE, _TILES_PER_SIDE, width).sum(axis=2, dtype=np.int64)
    return sums
