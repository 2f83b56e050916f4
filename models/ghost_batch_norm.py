"""Batch normalisation that no worker has to ask another one for."""

from typing import Any

from keras import layers, ops

# Rows that are normalised together. Sixteen learnt as well as thirty-two, and eight a little worse (docs/experiments.md).
GROUP_ROWS = 16


class GhostBatchNormalization(layers.BatchNormalization):  # type: ignore[misc] # Keras comes without types
    """Normalises, while it is trained, each group of rows by itself: "ghost batches" (Hoffer, Hubara, Soudry 2017, section 4).

    Groups have GROUP_ROWS rows; a batch that they do not divide is one group. So what a worker computes of its rows does not
    depend on how many workers there are, where the groups divide its share. Normalising by the whole batch instead would have
    all workers wait for one another in each layer, there and back.

    In use, it is `BatchNormalization`, and its weights are those of one: what is exported holds that.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise (n, ..., channels); where `training`, also move the running means towards the groups' averages."""
        if not training:
            return super().call(inputs, training=False, mask=mask)
        rows, channels = inputs.shape[0], inputs.shape[-1]
        groups = rows // GROUP_ROWS if rows % GROUP_ROWS == 0 else 1
        grouped = ops.reshape(inputs, (groups, -1, channels))
        mean, variance = ops.moments(grouped, axes=1, keepdims=True)
        for moving, latest in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.mean(latest, axis=(0, 1)) * (1.0 - self.momentum))
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        return ops.reshape(grouped * scale + (self.beta - mean * scale), ops.shape(inputs))
