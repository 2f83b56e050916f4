"""A small network in VGG's form, trained from scratch where no pretrained weights can be had.

Blocks of 3 × 3 convolutions with growing width, halved by max pooling, ending in a global average. Batch normalisation, which VGG
does not have, lets it learn from some hundreds of pictures in a minute; without it, or with group normalisation, it had learnt a
third as much after as many epochs. It is trained with ghost batches, so that workers need not wait for one another in each layer.
"""

import keras
from keras import layers

from models.specs import backbone_spec

# Of the running means: some hundred steps are all there is, and Keras's 0.99 would still remember the first.
_MOMENTUM = 0.9
# Filters of each convolution, by block.
_BLOCKS = ((16,), (32,), (64, 64), (96, 96), (128,))


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
