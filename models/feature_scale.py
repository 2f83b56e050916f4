"""How features are brought to one scale before anything is learned from them. Plain numbers: imports no Keras."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureScale:
    """How features are centred and scaled for training.

    Centred by their means, and divided by one number, their deviation over all of them: one learning rate and one L2 then suit
    any backbone, and how much features differ from each other is kept, which dividing each by its own deviation would lose.

    Attributes:
        mean: (d,) float32.
        deviation: above 0.
    """

    mean: NDArray[np.float32]
    deviation: float

    @classmethod
    def of(cls, features: NDArray[np.floating]) -> Self:
        """Measure features (n, d), those of the training split."""
        wide = features.astype(np.float64)
        mean = wide.mean(axis=0)
        return cls(mean.astype(np.float32), float(max(np.sqrt(np.square(wide - mean).mean()), np.finfo(np.float32).tiny)))

    def scaled(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return features (n, d) as a head is trained on them."""
        return ((features.astype(np.float32) - self.mean) / np.float32(self.deviation)).astype(np.float32)
