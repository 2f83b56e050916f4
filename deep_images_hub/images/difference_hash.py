"""A 60-bit hash that nearly equal pictures share nearly: which of two neighbours is brighter, across and down a coarse grid.

Source: the idea is the "dHash" of N. Krawetz, 2013; the two smoothed grids, one for each direction, and the order of the bits are
ours, so hashes of other programs do not compare.
"""

import numpy as np
from PIL import Image

HASH_BITS = 60
# Neighbours are compared along the longer side of a grid of 7 x 5 and of one of 5 x 7. Coarser grids tell too little apart, and
# finer ones change too much when a picture is cropped; docs/experiments.md has the numbers.
LONG_CELLS, SHORT_CELLS = 7, 5
# What an index looks up is a third of the bits. Bits that lie side by side in the picture go together in truth, so they are dealt
# out to the thirds in turn: then few pictures share one.
BANDS = 3
BAND_BITS = HASH_BITS // BANDS


def difference_hash(luma: Image.Image, box: tuple[float, float, float, float] | None = None) -> int:
    """Return the hash of a grey picture, or of a part of it: 0 to 2^60 - 1, the first band in the highest bits.

    Args:
        luma: of mode L.
        box: (left, upper, right, lower) of the part, in pixels; fractions count.
    """
    # Pillow's bilinear filter reaches over two cells when it shrinks: noise and small shifts average out.
    across = np.asarray(luma.resize((LONG_CELLS, SHORT_CELLS), Image.Resampling.BILINEAR, box), dtype=np.int16)
    down = np.asarray(luma.resize((SHORT_CELLS, LONG_CELLS), Image.Resampling.BILINEAR, box), dtype=np.int16)
    is_brighter = np.concatenate([(across[:, 1:] > across[:, :-1]).ravel(), (down[1:] > down[:-1]).ravel()])
    dealt = is_brighter.reshape(BAND_BITS, BANDS).T.ravel()
    return int.from_bytes(np.packbits(dealt).tobytes(), "big") >> (-HASH_BITS % 8)


def hamming_distance(one: int, other: int) -> int:
    """Return in how many bits two hashes differ."""
    return (one ^ other).bit_count()
