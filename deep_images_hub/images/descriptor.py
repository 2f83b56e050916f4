"""What is kept of a picture's look, so that near-duplicates are found without its pixels.

Two hashes find candidates through an index; the grid tells copies from pictures that are merely alike
(`near_duplicates.near_duplicate_scores`).
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from deep_images_hub.images.difference_hash import difference_hash

GRID_SIDE = 24
GRID_BYTES = GRID_SIDE * GRID_SIDE
# Everything is taken from a picture of this size, four pixels a cell: shrinking a photograph once costs most of the time.
_BASE_SIDE_PX = 4 * GRID_SIDE
# A copy that was cropped at its margins looks like the inner part of its original. Hashes agree up to some 2.5 % a side
# more or less: 5 % finds crops of up to 7 %, and more would lose those of one side alone.
MARGIN = 0.05


@dataclass(frozen=True)
class Descriptor:
    """A picture's look.

    Attributes:
        whole_hash: the difference hash of the whole picture.
        inner_hash: that of the picture without its margins.
        grid: GRID_SIDE x GRID_SIDE grey levels, row by row, whatever the picture's shape.
    """

    whole_hash: int
    inner_hash: int
    grid: bytes


def describe(picture: Image.Image) -> Descriptor:
    """Return the descriptor of an upright picture: RGB, or grey already."""
    grey = picture if picture.mode == "L" else picture.convert("L")
    luma = grey.resize((_BASE_SIDE_PX, _BASE_SIDE_PX), Image.Resampling.BOX)
    near, far = MARGIN * _BASE_SIDE_PX, (1 - MARGIN) * _BASE_SIDE_PX
    # Smooth, so that two grids of differently cropped copies can be laid on one another.
    grid = np.asarray(luma.resize((GRID_SIDE, GRID_SIDE), Image.Resampling.BILINEAR))
    return Descriptor(difference_hash(luma), difference_hash(luma, (near, near, far, far)), grid.tobytes())
