"""A 64-bit hash that nearly equal pictures share nearly: which of two neighbours is brighter, on a grid of 8 x 8.

Source: the "dHash" of N. Krawetz, 2013; bit order and sampling are ours, so hashes of other programs do not compare.
"""

import numpy as np
from PIL import Image

_SIDE = 8


def difference_hash(image: Image.Image) -> int:
    """Return the hash of an RGB picture, as a signed 64-bit integer (what PostgreSQL's bigint holds)."""
    # Box sampling reads every pixel once, so that JPEG noise and small shifts average out.
    grid = np.asarray(image.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX), dtype=np.int16)
    bits = np.packbits(grid[:, 1:] > grid[:, :-1])
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def hamming_distance(one: int, other: int) -> int:
    """Return in how many of 64 bits two hashes differ."""
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()
