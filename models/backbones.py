"""Pretrained networks: pictures in, pooled features out, and ImageNet's classes where the weights know them. They preprocess.

Each is one flat graph, so that later layers can be reached by name. Features are a global average, also of VGG16, whose own dense
head holds 124 of its 138 million parameters. There are no random weights here: a network comes with a weights file.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
from keras import layers

from deep_images_hub.errors import InvalidInputError
from models.specs import IMAGENET_CLASSES, backbone_spec

# Mean of ImageNet's training pictures by channel, blue, green, red. Source: Simonyan & Zisserman 2015, arXiv:1409.1556; as in
# keras.applications, `mode="caffe"`.
_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)

# The same as shares of 255, red, green, blue, with their deviations; as in keras.applications, `mode="torch"`.
_IMAGENET_MEAN_RGB, _IMAGENET_DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class _Architecture:
    """How to build a network.

    Attributes:
        preprocess: from RGB 0..255 to what the weights were trained on.
        build: called with `include_top` and `input_tensor`; gives a network with random weights.
        last_layer: the layer whose activations are pooled.
        trunk_layer: where fine-tuning cuts the network: it trains the blocks after this layer, and none up to it.
        top_variable_count: variables of the classification head, which a weights file may hold or not.
    """

    preprocess: Callable[[Any], Any]
    build: Callable[..., keras.Model]
    last_layer: str
    trunk_layer: str
    top_variable_count: int


def _bgr_without_mean(pictures: Any) -> Any:
    """Turn RGB 0..255 into BGR with ImageNet's channel means subtracted, not divided."""
    flipped = keras.ops.flip(pictures, axis=-1)
    # Not Normalization: its constants become inputs of an exported ONNX graph.
    return layers.Rescaling(1.0, offset=[-mean for mean in _IMAGENET_MEAN_BGR], dtype="float32", name="minus_mean")(flipped)


def _between_minus_one_and_one(pictures: Any) -> Any:
    return layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="rescaled")(pictures)


def _standardised(pictures: Any) -> Any:
    """Bring RGB 0..255 to mean 0 and deviation 1 by channel, over ImageNet's training pictures."""
    scale = [1 / (255 * deviation) for deviation in _IMAGENET_DEVIATION_RGB]
    offset = [-mean / deviation for mean, deviation in zip(_IMAGENET_MEAN_RGB, _IMAGENET_DEVIATION_RGB, strict=True)]
    # Not Normalization, as above.
    return layers.Rescaling(scale, offset=offset, dtype="float32", name="standardised")(pictures)


def _keras_application(name: str) -> Callable[..., keras.Model]:
    def build(*, include_top: bool, input_tensor: Any) -> keras.Model:
        return getattr(keras.applications, name)(weights=None, include_top=include_top, input_tensor=input_tensor)

    return build


def _without_preprocessing(name: str) -> Callable[..., keras.Model]:
    """Likewise, of one that preprocesses by itself: by Normalization, whose constants an ONNX graph would take as inputs."""

    def build(*, include_top: bool, input_tensor: Any) -> keras.Model:
        make = getattr(keras.applications, name)
        return make(weights=None, include_top=include_top, input_tensor=input_tensor, include_preprocessing=False)

    return build


def _tiny_vgg(*, include_top: bool, input_tensor: Any) -> keras.Model:
    x = input_tensor
    for block, filters in enumerate((4, 8), start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv1")(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="average")(x)
        x = layers.Dense(IMAGENET_CLASSES, activation="softmax", name="predictions")(x)
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


_ARCHITECTURES = {
    "vgg16": _Architecture(_bgr_without_mean, _keras_application("VGG16"), "block5_pool", "block4_pool", top_variable_count=6),
    "mobilenet_v2": _Architecture(
        _between_minus_one_and_one, _keras_application("MobileNetV2"), "out_relu", "block_12_add", top_variable_count=2
    ),
    "resnet50": _Architecture(
        _bgr_without_mean, _keras_application("ResNet50"), "conv5_block3_out", "conv4_block6_out", top_variable_count=2
    ),
    "efficientnet_v2_b0": _Architecture(
        _standardised, _without_preprocessing("EfficientNetV2B0"), "top_activation", "block5e_add", top_variable_count=2
    ),
    "tiny_vgg": _Architecture(_bgr_without_mean, _tiny_vgg, "block2_pool", "block1_pool", top_variable_count=2),
}


def build_backbone(name: str, weights_file: Path, *, dtype_policy: str = "float32") -> keras.Model:
    """Build a pretrained network up to its pooled features, frozen.

    Args:
        name: of a pretrained network of `models.specs`.
        weights_file: `.weights.h5` or Keras's older `.h5`, with or without the classification head.
        dtype_policy: `float32` or `mixed_bfloat16`; weights and features are float32 either way.

    Returns:
        From `image` (n, side_px, side_px, 3) RGB 0..255 to `features` (n, feature_count) float32.

    Raises:
        InvalidInputError: the file does not hold weights of this network.
    """
    network, features, _ = _pretrained(name, weights_file, dtype_policy)
    return _frozen(network.input, [features], name)


def build_observer(name: str, weights_file: Path, *, dtype_policy: str = "float32") -> keras.Model:
    """Build a pretrained network that gives features and what it takes pictures for, in one pass; frozen.

    Args and errors are those of `build_backbone`.

    Returns:
        From `image` (n, side_px, side_px, 3) RGB 0..255 to `features` (n, feature_count) float32 and, where the file holds the
        classification head, `probabilities` (n, IMAGENET_CLASSES) of ImageNet's classes.
    """
    network, features, has_head = _pretrained(name, weights_file, dtype_policy)
    return _frozen(network.input, [features, network.output] if has_head else [features], name)


def _pretrained(name: str, weights_file: Path, dtype_policy: str) -> tuple[keras.Model, Any, bool]:
    """Return the network with its weights, its pooled features, and whether the classification head is there."""
    architecture = _ARCHITECTURES.get(name)
    if architecture is None:
        raise InvalidInputError(f"{name!r} is no pretrained backbone. Expected one of: {', '.join(_ARCHITECTURES)}.")
    found = _variable_count(weights_file)
    with _global_dtype_policy(dtype_policy):
        network = _network(name, architecture, include_top=False)
        # Not all variables: the seeds of dropout are none of a file's.
        expected = len(network.weights)
        has_head = found == expected + architecture.top_variable_count
        if has_head:
            network = _network(name, architecture, include_top=True)
        elif found != expected:
            raise InvalidInputError(
                f"{weights_file} holds {found} variables; {name} has {expected}, or {expected + architecture.top_variable_count} "
                "with its classification head. HUB_WEIGHTS and HUB_BACKBONE must belong together."
            )
        try:
            with warnings.catch_warnings():
                # Keras only warns when layers keep their random weights.
                warnings.simplefilter("error", UserWarning)
                network.load_weights(weights_file)
        except (ValueError, OSError, UserWarning) as error:
            raise InvalidInputError(
                f"{weights_file} does not hold weights of {name}: {str(error).partition('.')[0]}. "
                "HUB_WEIGHTS and HUB_BACKBONE must belong together."
            ) from error
        activations = network.get_layer(architecture.last_layer).output
        # Averaged in float32: a sum of 49 bfloat16 values keeps two digits.
        return network, layers.GlobalAveragePooling2D(dtype="float32", name="features")(activations), has_head


def _frozen(pictures: Any, outputs: list[Any], name: str) -> keras.Model:
    network = keras.Model(pictures, outputs[0] if len(outputs) == 1 else outputs, name=name)
    network.trainable = False
    return network


def trunk_layer(name: str) -> str:
    """Return the name of the layer after which fine-tuning trains a pretrained network."""
    return _ARCHITECTURES[name].trunk_layer


def write_random_weights(name: str, path: Path, *, seed: int, include_top: bool = False) -> None:
    """Write a weights file of an untrained network. For tests of mechanics: what such a network says means nothing."""
    keras.utils.set_random_seed(seed)
    _network(name, _ARCHITECTURES[name], include_top=include_top).save_weights(path)


def _network(name: str, architecture: _Architecture, *, include_top: bool) -> keras.Model:
    side_px = backbone_spec(name).side_px
    pictures = keras.Input((side_px, side_px, 3), dtype="float32", name="image")
    return architecture.build(include_top=include_top, input_tensor=architecture.preprocess(pictures))


def _variable_count(weights_file: Path) -> int:
    names: list[str] = []
    try:
        with h5py.File(weights_file) as file:
            file.visititems(lambda name, entry: names.append(name) if isinstance(entry, h5py.Dataset) else None)
    except OSError as error:
        raise InvalidInputError(
            f"{weights_file} is not a weights file: expected HDF5, as Keras's save_weights writes it. Correct HUB_WEIGHTS."
        ) from error
    return len(names)


@contextmanager
def _global_dtype_policy(name: str) -> Iterator[None]:
    """keras.applications take no dtype of their own: they follow the global one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
