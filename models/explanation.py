"""What a classifier says beside its probabilities, by plain layers, so that an export can have it.

Where in a picture it finds what it says: class activation maps. Before a linear layer on average-pooled features, a class's logit
is a sum over places: each adds its activations times the class's weights, over the number of places. That is the map of Zhou et
al. 2016, arXiv:1512.04150; for such heads Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) gives the same up to a factor, and
needs gradients for it. And how near a picture comes to what was learned from (`models.known_looks`).
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray


def with_evidence(classifier: keras.Model) -> keras.Model:
    """Let a classifier also say what each place of a picture adds to each label.

    Args:
        classifier: from `export.with_softmax`: a layer `features` that averages over places, and a linear layer `logits` on it.

    Returns:
        From `image` to `probabilities` (n, classes) and `evidence` (n, rows, columns, classes): summed over rows and columns, and
        with the bias, the evidence is the logits. Below 0 a place speaks against a label.
    """
    activations = classifier.get_layer("features").input
    _, rows, columns, _ = activations.shape
    kernel = classifier.get_layer("logits").get_weights()[0]
    evidence = layers.Conv2D(kernel.shape[1], 1, use_bias=False, dtype="float32", name="evidence")
    network = keras.Model(classifier.input, [classifier.output, evidence(activations)], name="explained_classifier")
    evidence.set_weights([kernel[np.newaxis, np.newaxis] / (rows * columns)])
    return network


def with_nearest_known(explained: keras.Model, means: NDArray[np.float32]) -> keras.Model:
    """Let a classifier also say how near a picture comes to what it learned from.

    Args:
        explained: from `with_evidence`.
        means: (k, d) of `known_looks.KnownLooks`.

    Returns:
        The same with one output more, `nearest_known` (n,): what `known_looks.nearest_known` gives.
    """
    cosines = layers.Dense(len(means), use_bias=False, dtype="float32", name="cosines")
    unit = layers.UnitNormalization(dtype="float32")(explained.get_layer("features").output)
    nearest = ops.max(cosines(unit), axis=-1)
    network = keras.Model(explained.input, [*explained.outputs, nearest], name="explained_classifier")
    cosines.set_weights([means.T])
    return network
