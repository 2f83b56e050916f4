"""Pictures as another camera might have taken them: more to learn from than there is.

By noise that is given, not drawn here, so that it does not matter which worker distorts a picture.
"""

from typing import Any

import numpy as np
from keras import ops

# Random numbers that `distort` takes for one picture.
DISTORTION_NOISE = 10
_MAX_ROTATION = 0.25  # radians
_MAX_ZOOM = 0.25  # natural logarithm of the scale
_MAX_SHIFT = 0.12  # of the side
_MAX_BRIGHTNESS = 30.0  # of 255
_MAX_CONTRAST = 0.25  # natural logarithm of the factor
_MAX_TINT = 0.15  # the same, by channel


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
