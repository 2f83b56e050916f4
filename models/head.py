"""A linear classifier on pooled features."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray


def build_head(features: NDArray[np.floating], class_count: int) -> keras.Model:
    """Build a softmax classifier of features, without its softmax, with small random weights.

    Args:
        features: (n, d), those that it will be trained on. Features are centred by their means and divided by one number, the
            deviation over all of them: one learning rate and one L2 then suit any backbone, and how much features differ from
            each other, which dividing each by its own deviation would lose, is kept.

    Returns:
        From `features` (n, d) to `logits` (n, class_count).
    """
    wide = features.astype(np.float64)
    mean = wide.mean(axis=0)
    variance = np.full_like(mean, max(np.square(wide - mean).mean(), np.finfo(np.float32).tiny))
    inputs = keras.Input((features.shape[1],), dtype="float32", name="features")
    centred = layers.Normalization(mean=mean.astype(np.float32), variance=variance.astype(np.float32), name="feature_scale")(
        inputs
    )
    return keras.Model(inputs, layers.Dense(class_count, name="logits")(centred), name="head")


def hide_features(features: Any, noise: Any, *, rate: float) -> Any:
    """Hide a share of each example's features, and scale up the others (dropout).

    Args:
        features: (n, d).
        noise: (n, d) uniform in 0..1; the same noise hides the same features, whichever worker does it.
        rate: share that is hidden, 0..1.
    """
    return ops.where(noise < rate, 0.0, features / (1.0 - rate))


def class_probabilities(head: keras.Model, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return what a head says of features: (n, class_count), rows sum to 1."""
    logits = head.predict(features.astype(np.float32), verbose=0)
    return np.asarray(ops.softmax(logits))
