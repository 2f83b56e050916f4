"""Tell, by its pixels, a JPEG that was damaged though its decoder got over it.

Each block of a JPEG is stored as the difference of its mean from that of the block before it. Where a damaged stretch is read as
other blocks than were written, and the decoder falls into step again behind it, all that follows is too bright, too dark or of
another colour by a constant. So the picture has a step that is no edge of a thing: it runs along a row of coded units from one of
them to the right border, and on along the next row from the left border to below that unit; it is the same all the way, and the
rest of both rows has none.

Source: ITU-T T.81, annexes A.2 and F.1.1.5.1. docs/experiments.md says what is found, and what honest pictures reach.
"""

import numpy as np
from numpy.typing import NDArray

# Width and height in pixels of what is coded as one, by the subsampling of colours.
CODED_UNIT_PX = {"420": (16, 16), "422": (16, 8), "444": (8, 8), "440": (8, 16), "411": (32, 8)}
# Below these there are too few places for what is the same all along a row to be no chance.
_MIN_COLUMNS, _MIN_ROWS = 6, 4
# How many units on either side a step needs at least: nearly all of a row may be a thing's edge that lies just there.
_MIN_PART_UNITS = 2
_MAX_STEP_LEVELS = 60
# So many sums of four levels and four slopes stay below 2^15.
_MAX_SUMMED_PX = 16
_MIN_STEP_LEVELS = 5
# How far out of the ordinary the mean step of a row's length of units is, at least.
_MIN_DEVIATIONS = 5
# For each colour the places that stand out most are looked at.
_PLACES = 8
# A unit's step counts as the common one, or as none, where it is no further from it than this share of the common one.
_LIKE = 0.6
# A few units say little: as if there were so many more that are not as they would be.
_UNITS_OF_DOUBT = 2
# Drawn surfaces, shelves and frames have many steps of one size: more than these of all other units.
_MAX_SHARE_ELSEWHERE = 0.02


def shift_evidence(pixels: NDArray[np.uint8], unit_px: tuple[int, int], *, is_full_size: bool) -> float:
    """Return how surely all that follows some unit of a JPEG is shifted by a constant: 0, or up to 1 where it cannot be doubted.

    Args:
        pixels: (height, width, 3), as decoded, not turned; RGB.
        unit_px: width and height of a coded unit in these pixels, at least 1.
        is_full_size: whether these are all pixels that the JPEG has. Where one stands for several, there are more steps in any
            picture, and slanted edges look like shifts: then a high value is only a reason to look at all pixels.
    """
    width_px, height_px = unit_px
    rows, columns = pixels.shape[0] // height_px, pixels.shape[1] // width_px
    if rows < _MIN_ROWS or columns < _MIN_COLUMNS:
        return 0.0
    steps = _steps(pixels[: rows * height_px].reshape(rows, height_px, -1), width_px, columns)
    unusual = _deviations(steps.reshape(3, -1), columns)
    if unusual.max() < _MIN_DEVIATIONS:
        return 0.0
    # Some hundred units say what is usual as well as all.
    some = steps.reshape(3, -1)[:, :: 1 + unusual.shape[1] // 1000]
    usual_levels = np.median(np.abs(some), axis=1)[:, None] + 0.5
    places = {
        int(place)
        for colour in unusual
        for place in np.argpartition(colour, -_PLACES)[-_PLACES:]
        if colour[place] >= _MIN_DEVIATIONS
    }
    max_share = _MAX_SHARE_ELSEWHERE if is_full_size else 1.0
    return max((_evidence_at(steps, place, usual_levels, max_share) for place in places), default=0.0)


def _steps(rows: NDArray[np.uint8], unit_width_px: int, columns: int) -> NDArray[np.float32]:
    """Return by how much each unit begins brighter than the one above it ends, beyond what its slope explains.

    Args:
        rows: of units, (rows, height, 3 x width).

    Returns:
        (3, rows - 1, columns): green, and red and blue compared with it, in levels.
    """
    twice = np.subtract(rows[1:, 0], rows[:-1, -1], dtype=np.int16)
    twice *= 3
    # Of units that are one line high, the slope is the step, and counts once.
    second = min(1, rows.shape[1] - 1)
    twice -= np.subtract(rows[1:, second], rows[:-1, -1 - second], dtype=np.int16)
    # Of each unit the sum of the first pixels, as many as can be had by doubling: a few array operations, however wide it is.
    summed_px = 1
    while 2 * summed_px <= min(unit_width_px, _MAX_SUMMED_PX):
        twice[:, : -3 * summed_px] += twice[:, 3 * summed_px :]
        summed_px *= 2
    sums = twice[:, : 3 * columns * unit_width_px].reshape(len(twice), columns, unit_width_px, 3)[:, :, 0]
    steps = sums.transpose(2, 0, 1) * np.float32(0.5 / summed_px)
    steps[::2] -= steps[1]
    return np.clip(steps, -_MAX_STEP_LEVELS, _MAX_STEP_LEVELS, out=steps)


def _deviations(steps: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Return how far the mean step of a row's length of units, from each unit on, is out of the ordinary.

    Compared with those of the rows above and below: a slope has them everywhere.

    Args:
        steps: (3, units), row by row.

    Returns:
        (3, units - columns + 1), 0 where a shift could not be told from an edge.
    """
    sums = np.zeros((3, steps.shape[1] + 1), np.float32)
    np.cumsum(steps, axis=1, out=sums[:, 1:])
    means = (sums[:, columns:] - sums[:, :-columns]) / columns
    beyond: NDArray[np.float32] = means.astype(np.float32)
    beyond[:, columns:] -= means[:, :-columns] / 2
    beyond[:, :-columns] -= means[:, columns:] / 2
    beyond[:, :columns] -= means[:, columns : 2 * columns] / 2
    beyond[:, -columns:] -= means[:, -2 * columns : -columns] / 2
    np.abs(beyond, out=beyond)
    beyond /= 1.25 * beyond.mean(axis=1, keepdims=True) + 0.3
    for near_border in (*range(_MIN_PART_UNITS), *range(1 - _MIN_PART_UNITS, 0)):
        beyond[:, near_border % columns :: columns] = 0
    return beyond


def _evidence_at(steps: NDArray[np.float32], place: int, usual_levels: NDArray[np.floating], max_share_elsewhere: float) -> float:
    """Return the product of the shares of units that are as they would be if all from this one on were shifted.

    Of four: shifted and not, in this row and in the next one. 0 where steps of that size are nothing rare in the picture.
    """
    columns = steps.shape[2]
    row = place // columns
    units = steps.reshape(3, -1)
    shift = np.median(units[:, place : place + columns], axis=1, keepdims=True)
    if np.abs(shift).max() < _MIN_STEP_LEVELS:
        return 0.0
    near = _LIKE * np.linalg.norm(shift / usual_levels)
    # The units from here to the border and on along the next row; and those that lie before and behind them.
    next_row, end = (row + 1) * columns, place + columns
    begin, behind = row * columns, next_row + columns
    has_it = np.linalg.norm((units[:, place:end] - shift) / usual_levels, axis=0) < near
    has_none = np.linalg.norm(units[:, begin:behind] / usual_levels, axis=0) < near
    parts = (has_it[: next_row - place], has_it[next_row - place :], has_none[: place - begin], has_none[end - begin :])
    evidence = float(np.prod([part.sum() / (len(part) + _UNITS_OF_DOUBT) for part in parts]))
    if evidence and max_share_elsewhere < 1:
        has_any = np.linalg.norm(units / usual_levels, axis=0) >= near
        has_any[place:end] = False
        if has_any.sum() > max_share_elsewhere * len(has_any):
            return 0.0
    return evidence
