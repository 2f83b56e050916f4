"""A linear classifier on pooled features."""

from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np
from keras import layers, ops
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


def build_head(feature_count: int, class_count: int) -> keras.Model:
    """Build a softmax classifier of scaled features, without its softmax, with small random weights.

    Returns:
        From (n, feature_count) to `logits` (n, class_count).
    """
    inputs = keras.Input((feature_count,), dtype="float32", name="features")
    return keras.Model(inputs, layers.Dense(class_count, name="logits")(inputs), name="head")


def hide_features(features: Any, noise: Any, *, rate: float) -> Any:
    """Hide a share of each example's features, and scale up the others (dropout).

    Args:
        features: (n, d).
        noise: (n, d) uniform in 0..1; the same noise hides the same features, whichever worker does it.
        rate: share that is hidden, 0..1.
    """
    return ops.where(noise < rate, 0.0, features / (1.0 - rate))


def for_unscaled_features(weights: list[NDArray[np.float32]], scale: FeatureScale) -> list[NDArray[np.float32]]:
    """Turn a head's kernel and bias for scaled features into those that say the same of features as they are."""
    kernel, bias = (part.astype(np.float64) for part in weights)
    unscaled = kernel / scale.deviation
    return [unscaled.astype(np.float32), (bias - scale.mean.astype(np.float64) @ unscaled).astype(np.float32)]


def class_probabilities(weights: list[NDArray[np.float32]], features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return what a head's kernel (d, classes) and bias say of features (n, d): rows sum to 1."""
    kernel, bias = weights
    logits = features.astype(np.float32) @ kernel + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)
