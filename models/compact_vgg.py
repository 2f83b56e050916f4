"""A small network in VGG's form, trained from scratch where no pretrained weights can be had.

Blocks of 3 × 3 convolutions with growing width, halved by max pooling, ending in a global average. Batch normalisation, which VGG
does not have, lets it learn from some hundreds of pictures in a minute; without it, or with group normalisation, it had learnt a
third as much after as many epochs. It is trained with ghost batches, so that workers need not wait for one another in each layer.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from models.specs import backbone_spec

# Of the running means: some hundred steps are all there is, and Keras's 0.99 would still remember the first.
_MOMENTUM = 0.9
# Filters of each convolution, by block.
_BLOCKS = ((16,), (32,), (64, 64), (96, 96), (128,))

# Random numbers that `distort` takes for one picture.
DISTORTION_NOISE = 10
_MAX_ROTATION = 0.25  # radians
_MAX_ZOOM = 0.25  # natural logarithm of the scale
_MAX_SHIFT = 0.12  # of the side
_MAX_BRIGHTNESS = 30.0  # of 255
_MAX_CONTRAST = 0.25  # natural logarithm of the factor
_MAX_TINT = 0.15  # the same, by channel


def build_compact_vgg(
    class_count: int, *, normalisation: type[layers.BatchNormalization] = layers.BatchNormalization
) -> keras.Model:
    """Build the network with random weights.

    Args:
        normalisation: `GhostBatchNormalization` to train it; the weights fit the network with Keras' own, which any Keras loads.

    Returns:
        From `image` (n, side_px, side_px, 3) RGB 0..255 to `logits` (n, class_count).
    """
    side_px = backbone_spec("compact_vgg").side_px
    pictures = keras.Input((side_px, side_px, 3), dtype="float32", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaled")(pictures)
    for block, widths in enumerate(_BLOCKS, start=1):
        for position, filters in enumerate(widths, start=1):
            name = f"block{block}_conv{position}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
            if position == len(widths):
                # Before the normalisation and not after it, which would work on four times as many values.
                x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
            x = normalisation(momentum=_MOMENTUM, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(pictures, layers.Dense(class_count, name="logits")(features), name="compact_vgg")


def distort(pictures: Any, noise: Any) -> Any:
    """Show pictures as another camera might have: mirrored, turned, nearer or farther, moved, in another light.

    Args:
        pictures: (n, side, side, 3), 0..255.
        noise: (n, DISTORTION_NOISE) uniform in 0..1. The same noise gives the same distortion, whichever worker applies it.

    Returns:
        (n, side, side, 3) float32, 0..255; what comes in from outside the frame is the picture's own mirror image.
    """
    pictures = ops.cast(pictures, "float32")
    side = pictures.shape[1]
    centred = 2.0 * noise - 1.0
    turned = ops.image.affine_transform(
        pictures, _affine_maps(centred, side), interpolation="bilinear", fill_mode="reflect", data_format="channels_last"
    )
    tint = ops.exp(_MAX_TINT * centred[:, 7:10])[:, None, None, :]
    contrast = ops.exp(_MAX_CONTRAST * centred[:, 6])[:, None, None, None]
    brightness = (_MAX_BRIGHTNESS * centred[:, 5])[:, None, None, None]
    return ops.clip((turned - 127.5) * contrast * tint + 127.5 + brightness, 0.0, 255.0)


def _affine_maps(centred: Any, side: int) -> Any:
    """Return (n, 8) maps from a pixel of the result to one of the picture, about its middle, as `affine_transform` takes them."""
    angle, scale = _MAX_ROTATION * centred[:, 2], ops.exp(_MAX_ZOOM * centred[:, 1])
    mirror = ops.where(centred[:, 0] < 0, -1.0, 1.0)
    xx, xy = mirror * scale * ops.cos(angle), -mirror * scale * ops.sin(angle)
    yx, yy = scale * ops.sin(angle), scale * ops.cos(angle)
    middle = np.float32((side - 1) / 2)
    x0 = middle - middle * (xx + xy) + _MAX_SHIFT * side * centred[:, 3]
    y0 = middle - middle * (yx + yy) + _MAX_SHIFT * side * centred[:, 4]
    none = ops.zeros_like(xx)
    return ops.stack([xx, xy, x0, yx, yy, y0, none, none], axis=1)
