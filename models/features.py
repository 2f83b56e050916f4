"""Run a backbone over pictures and keep its pooled features."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from deep_images_hub.errors import InvalidInputError
from models.specs import backbone_spec

_CPU_DESCRIPTION = Path("/proc/cpuinfo")


def dtype_policy(mixed_bfloat16: str, backbone: str) -> str:
    """Return the policy that a backbone's features are computed under.

    Args:
        mixed_bfloat16: the setting: `on`, `off`, or `auto`: on where it pays: the processor multiplies bfloat16 matrices by
            itself (AMX), and the network consists of dense convolutions.
    """
    is_on = mixed_bfloat16 == "on" or (mixed_bfloat16 == "auto" and backbone_spec(backbone).is_dense and _has_amx())
    return "mixed_bfloat16" if is_on else "float32"


def _has_amx() -> bool:
    return _CPU_DESCRIPTION.is_file() and "amx_bf16" in _CPU_DESCRIPTION.read_text(encoding="utf-8")


def pooled_features(backbone: keras.Model, pictures: NDArray[np.uint8], *, batch_size: int) -> NDArray[np.float16]:
    """Return the features of pictures.

    Args:
        backbone: from `models.backbones.build_backbone`.
        pictures: (n, side_px, side_px, 3) uint8, RGB, 0..255.
        batch_size: pictures in one forward pass; memory grows with it.

    Returns:
        (n, feature_count) float16.

    Raises:
        InvalidInputError: a feature is not a number or too large for float16: the weights do not fit the preprocessing.
    """
    (feature_count,) = backbone.output_shape[1:]
    features = np.empty((len(pictures), feature_count), np.float32)
    for start, batch in _full_batches(pictures, batch_size):
        rows = features[start : start + batch_size]
        rows[:] = backbone.predict_on_batch(batch)[: len(rows)]
    if not (np.abs(features) <= np.finfo(np.float16).max).all():
        raise InvalidInputError(
            f"{backbone.name} gave features beyond the range of float16. Its weights are damaged or of another network: "
            "check HUB_WEIGHTS."
        )
    return features.astype(np.float16)


def _full_batches(pictures: NDArray[np.uint8], batch_size: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield start and batch; the last one is filled up with zeros, since a new shape would mean a new compilation."""
    for start in range(0, len(pictures), batch_size):
        batch = pictures[start : start + batch_size]
        if len(batch) < batch_size:
            batch = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), np.uint8)])
        yield start, batch
