"""A linear classifier on pooled features."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.feature_scale import FeatureScale


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
