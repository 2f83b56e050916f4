"""Tell whether two pictures are one photograph: recompressed, resized, cropped a little, made brighter or darker.

Candidates are pairs one of whose bands of hashes agree but for one bit and whose hashes differ in at most MAX_HASH_BITS
(`difference_hash`; the catalogue's index finds them). A candidate is confirmed by its grids: they are laid on one another as well
as a crop allows, and must then agree but for brightness and contrast. Another shot of the same scene fails that: objects before
and behind move apart.
"""

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.images.descriptor import GRID_SIDE

# Of 60 bits. Copies cropped by 1 to 5 % on each side are within it in 99 of 100 cases.
MAX_HASH_BITS = 10
# Pairs with a lower score are near-duplicates. docs/experiments.md says how it was found.
NEAR_DUPLICATE_THRESHOLD = 0.02

# Pairs so far apart before they are laid on one another are not looked at any closer: crops of 8 % a side stay above 0.6.
_COARSE_CELLS = 6
_MIN_COARSE_SIMILARITY = 0.6
_STEPS = 8
# A crop of 8 % a side is a scale of 0.84 or 1.19, one of 8 % on one side moves the middle by 4 %.
_MIN_SCALE, _MAX_SCALE = 0.82, 1.22
_MAX_SHIFT_CELLS = 0.06 * GRID_SIDE
# The outermost cells of a grid lack half of their surroundings: only what lies so far inside of both is compared.
_MARGIN_CELLS = 0.5
# A copy that was made brighter has lost what was brightest: cells that are nearly white in either are not compared, as long as
# enough of the others are left.
_WHITE_LEVEL = 230
_MIN_COMPARED_SHARE = 0.2
# Where a grid is even, any way of laying it fits: a little resistance keeps it where it is.
_DAMPING = 1e-3
_TINY = 1e-9
# Pairs that are laid on one another at once: bounds memory at about 40 MB.
_BLOCK_PAIRS = 512

_Array = NDArray[np.float64]


def near_duplicate_scores(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> _Array:
    """Score pairs of pictures by how much is left of their difference when one is laid on the other.

    Which of two is called the first does not matter.

    Args:
        ones: (n, GRID_SIDE, GRID_SIDE) grids of descriptors.
        others: likewise.

    Returns:
        (n,) 0 where they are equal but for light, to 1 where they have nothing in common; four digits. Pairs that differ widely
        at first sight are scored as they lie.
    """
    found: _Array = np.clip(_coarse_similarities(ones, others), 0, 1)
    close = np.flatnonzero(found >= _MIN_COARSE_SIMILARITY)
    for start in range(0, len(close), _BLOCK_PAIRS):
        block = close[start : start + _BLOCK_PAIRS]
        one, other = ones[block].astype(np.float64), others[block].astype(np.float64)
        found[block] = np.clip(np.maximum(_laid(one, other), _laid(other, one)), 0, 1)
    # The ledger keeps four digits: enough to move a threshold, and the same on every processor.
    return (1 - found).round(4)


def _coarse_similarities(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> _Array:
    one, other = _normalised_coarse(ones), _normalised_coarse(others)
    agreement: _Array = (one * other).sum(axis=1)
    return agreement


def _normalised_coarse(grids: NDArray[np.uint8]) -> _Array:
    cells = GRID_SIDE // _COARSE_CELLS
    means = grids.reshape(-1, _COARSE_CELLS, cells, _COARSE_CELLS, cells).mean(axis=(2, 4)).reshape(len(grids), _COARSE_CELLS**2)
    centred = means - means.mean(axis=1, keepdims=True)
    normalised: _Array = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True) + _TINY)
    return normalised


def _laid(fixed: _Array, moved: _Array) -> _Array:
    """Lay each moved grid on its fixed one by scale and shift of each axis, and return the correlation where both have cells.

    Gauss-Newton on the squared differences, after Lucas and Kanade 1981; brightness and contrast are solved for along with it.
    """
    middle = (GRID_SIDE - 1) / 2
    cells = np.arange(GRID_SIDE) - middle
    inside = np.abs(cells) <= middle - _MARGIN_CELLS + 0.5
    slopes_down, slopes_across = np.gradient(moved, axis=(1, 2))
    # One row for the horizontal axis and one for the vertical one: scale and shift.
    scale, shift = np.ones((2, len(fixed))), np.zeros((2, len(fixed)))
    for step in range(_STEPS + 1):
        at = scale[:, :, None] * cells + shift[:, :, None] + middle
        is_covered = inside & (at >= _MARGIN_CELLS - 0.5) & (at <= GRID_SIDE - 0.5 - _MARGIN_CELLS)
        across, down = _interpolation(at[0]).transpose(0, 2, 1), _interpolation(at[1])
        resampled = down @ moved @ across
        weight = _compared(is_covered[0][:, None, :] & is_covered[1][:, :, None], np.maximum(fixed, resampled))
        target, sampled = _centred(fixed, weight), _centred(resampled, weight)
        shared, own = (target * sampled).sum(axis=(1, 2)), (sampled**2).sum(axis=(1, 2))
        if step == _STEPS:
            break
        gain = (shared / np.maximum(own, _TINY))[:, None, None]
        by_shift_across = (down @ slopes_across @ across) * weight * gain
        by_shift_down = (down @ slopes_down @ across) * weight * gain
        by = (by_shift_across * cells, by_shift_across, by_shift_down * cells[:, None], by_shift_down, sampled, weight)
        change = _least_squares(np.stack(by, axis=-1).reshape(len(fixed), -1, len(by)), (target - gain * sampled))
        scale = np.clip(scale + change[:, (0, 2)].T, _MIN_SCALE, _MAX_SCALE)
        shift = np.clip(shift + change[:, (1, 3)].T, -_MAX_SHIFT_CELLS, _MAX_SHIFT_CELLS)
    correlation: _Array = shared / np.sqrt(np.maximum((target**2).sum(axis=(1, 2)) * own, _TINY))
    return correlation


def _compared(is_covered: NDArray[np.bool_], brighter: _Array) -> _Array:
    """Return 1 for the cells that both grids cover and that are white in neither, else 0; of mostly white pairs 1 for all."""
    is_grey = is_covered & (brighter < _WHITE_LEVEL)
    has_enough = is_grey.sum(axis=(1, 2)) >= _MIN_COMPARED_SHARE * GRID_SIDE**2
    return np.where(has_enough[:, None, None], is_grey, is_covered).astype(np.float64)


def _centred(grids: _Array, weight: _Array) -> _Array:
    mean = (grids * weight).sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1)
    centred: _Array = (grids - mean[:, None, None]) * weight
    return centred


def _least_squares(by: _Array, missing: _Array) -> _Array:
    """Return (n, k): by how much each of k parameters must change to make up for what is missing; by: (n, cells, k)."""
    transposed = by.transpose(0, 2, 1)
    normal = transposed @ by
    diagonal = np.einsum("nkk->nk", normal)
    normal += np.eye(by.shape[2]) * (_DAMPING * diagonal[:, None, :] + _TINY)
    return np.linalg.solve(normal, transposed @ missing.reshape(len(by), -1, 1))[..., 0].astype(np.float64)


def _interpolation(at: _Array) -> _Array:
    """Return the matrices that sample a row of cells at fractional places by cubic convolution (Keys 1981).

    Args:
        at: (n, GRID_SIDE) places, in cells from the first one's middle.

    Returns:
        (n, GRID_SIDE, GRID_SIDE): for each place, the weight of each cell. The outermost cells go on beyond the edge.
    """
    places = np.clip(at, 0, GRID_SIDE - 1)
    first = np.minimum(np.floor(places).astype(np.intp), GRID_SIDE - 2)
    t = places - first
    weights = (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    matrices = np.zeros((*at.shape, GRID_SIDE))
    pair, place = np.ogrid[: at.shape[0], : at.shape[1]]
    for offset, weight in enumerate(weights, start=-1):
        np.add.at(matrices, (pair, place, np.clip(first + offset, 0, GRID_SIDE - 1)), weight)
    return matrices
