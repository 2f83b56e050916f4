"""Pictures for tests of networks."""

import numpy as np
from PIL import Image


def pictures_of(count: int, side_px: int = 32) -> np.ndarray:
    """Smooth pictures, as photographs are."""
    random = np.random.default_rng(3)
    small = random.integers(0, 256, (count, 4, 4, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((side_px, side_px), Image.Resampling.BICUBIC)) for one in small])
