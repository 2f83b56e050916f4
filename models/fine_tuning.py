"""Fine-tuning: a pretrained network whose top blocks go on learning, below the head that was trained on its features before.

The network is cut in two. The trunk, all that is frozen, ends at `backbones.trunk_layer`; what comes after it is the top. The
trunk's activations do not change while the top learns, so they are computed once for each view of a picture and kept: the
picture as it is, and some distorted ones. Distorting anew in each step would compute the trunk in each step as well, which is
nine tenths of VGG16 and two thirds of MobileNetV2.

Normalisation stays as it was pretrained, its scales too: the statistics of some hundred photographs would undo more than they
teach. So the network is not called in training mode.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from deep_images_hub.errors import UnavailableError
from models.augmentation import DISTORTION_NOISE, distort
from models.backbones import build_backbone, trunk_layer
from models.export import with_head

# Random numbers that `one_view` takes for one picture.
VIEW_NOISE = 1
_VIEW_STREAM = 3


@dataclass(frozen=True)
class CutNetwork:
    """A pretrained network with a head, and its two parts, which share its weights.

    Attributes:
        whole: from `image` (n, side_px, side_px, 3) RGB 0..255 to `logits` (n, classes).
        trunk: from `image` to the activations at the cut.
        top: from those to `logits`; its blocks are trainable.
    """

    whole: keras.Model
    trunk: keras.Model
    top: keras.Model


def build_cut_network(
    backbone: str, weights_file: Path, head: list[NDArray[np.float32]], *, dtype_policy: str = "float32"
) -> CutNetwork:
    """Build a pretrained network with a head, cut where fine-tuning begins.

    Args:
        head: kernel (feature_count, classes) and bias, for features as the backbone gives them.
        dtype_policy: as `build_backbone` takes it.

    Raises:
        InvalidInputError: the file does not hold weights of this network.
    """
    whole = with_head(build_backbone(backbone, weights_file, dtype_policy=dtype_policy), head)
    cut = whole.get_layer(trunk_layer(backbone)).output
    network = CutNetwork(whole, trunk=keras.Model(whole.input, cut, name="trunk"), top=keras.Model(cut, whole.output, name="top"))
    for layer in network.top.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    return network


def fine_tuned_beside(
    backbone: str,
    weights_file: Path,
    head: list[NDArray[np.float32]],
    top_weights: list[NDArray[np.float32]],
    other_top_weights: list[NDArray[np.float32]],
) -> tuple[keras.Model, keras.Model]:
    """Build the whole network, in float32, and one that gives its features and those with other weights, (n, 2 x feature_count).

    They have one trunk, so that both come in a third more time than the first alone.
    """
    network, other = (build_cut_network(backbone, weights_file, head) for _ in range(2))
    network.top.set_weights(top_weights)
    other.top.set_weights(other_top_weights)
    other_cut = other.whole.get_layer(trunk_layer(backbone)).output
    other_features = keras.Model(other_cut, other.whole.get_layer("features").output, name="other_features")
    both = [network.whole.get_layer("features").output, other_features(network.trunk.output)]
    return network.whole, keras.Model(network.whole.input, layers.Concatenate(name="both")(both))


class FineTuning:
    """A cut network that is trained on the views of pictures that its trunk sees; built when it is first needed.

    Of each picture the first view is the picture as it is; in what way others are distorted, its number and the seed decide.
    Whoever computes them, they are the same.
    """

    def __init__(
        self, backbone: str, weights_file: Path, head: list[NDArray[np.float32]], *, dtype_policy: str, seed: int
    ) -> None:
        """Take what `build_cut_network` does, and a seed."""
        self._build = partial(build_cut_network, backbone, weights_file, head, dtype_policy=dtype_policy)
        self._seed = seed

    def build_top(self) -> keras.Model:
        """Return the part that is trained, as it begins; what the last one had learnt is forgotten."""
        top = self._network.top
        top.set_weights(self._first_weights)
        return top

    def views(self, pictures: NDArray[np.uint8], numbers: NDArray[np.int64], *, count: int) -> NDArray[np.float16]:
        """Compute the trunk's activations for so many views of pictures (n, side, side, 3), known by a number each.

        Returns:
            (n, count, rows, columns, channels) float16.

        Raises:
            UnavailableError: float16 cannot hold what the trunk gives.
        """
        found = [self._activations(pictures.astype(np.float32))]
        found += [self._activations(distort(pictures, self._noise(numbers, view))) for view in range(1, count)]
        return np.stack(found, axis=1)

    @cached_property
    def _network(self) -> CutNetwork:
        return self._build()

    @cached_property
    def _first_weights(self) -> list[NDArray[np.float32]]:
        weights: list[NDArray[np.float32]] = self._network.top.get_weights()
        return weights

    def _activations(self, pictures: Any) -> NDArray[np.float16]:
        activations = np.asarray(ops.convert_to_numpy(self._network.trunk.predict_on_batch(pictures)), np.float32)
        if not np.abs(activations).max() <= np.finfo(np.float16).max:
            raise UnavailableError(
                f"The network's activations reach {np.abs(activations).max():.3g}, beyond what is kept of them "
                f"({np.finfo(np.float16).max:.0f}). Train a head alone, or give other weights (HUB_WEIGHTS)."
            )
        return activations.astype(np.float16)

    def _noise(self, numbers: NDArray[np.int64], view: int) -> NDArray[np.float32]:
        drawn = [
            np.random.default_rng((self._seed, _VIEW_STREAM, int(number), view)).random(DISTORTION_NOISE) for number in numbers
        ]
        return np.stack(drawn).astype(np.float32)


def one_view(activations: Any, noise: Any) -> Any:
    """Choose one of the kept views of each picture.

    Args:
        activations: (n, views, rows, columns, channels).
        noise: (n, VIEW_NOISE) uniform in 0..1.

    Returns:
        (n, rows, columns, channels) float32.
    """
    views = activations.shape[1]
    chosen = ops.cast(noise[:, 0] * views, "int32")[:, None, None, None, None]
    return ops.cast(ops.take_along_axis(activations, chosen, axis=1)[:, 0], "float32")
