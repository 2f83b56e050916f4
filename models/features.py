"""Run a pretrained network over pictures: its pooled features, and the classes of ImageNet that it takes them for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from deep_images_hub.errors import InvalidInputError
from models.specs import backbone_spec

# Classes that are kept of a picture: none beyond the tenth has more than a tenth of the probability, and hardly any a hundredth.
TOP_CLASSES = 10
_PROBABILITY_DIGITS = 4

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


@dataclass(frozen=True)
class Observation:
    """What a network makes of pictures.

    Attributes:
        features: (n, feature_count) float16.
        class_indexes: (n, TOP_CLASSES) int16: ImageNet's classes that it takes them for, the most probable first; None where
            its weights have no classification head.
        class_probabilities: (n, TOP_CLASSES) float32, 0..1; None with them.
    """

    features: NDArray[np.float16]
    class_indexes: NDArray[np.int16] | None
    class_probabilities: NDArray[np.float32] | None


def observe(network: keras.Model, pictures: NDArray[np.uint8], *, batch_size: int) -> Observation:
    """Return what a network makes of pictures, in one pass over them.

    Args:
        network: from `models.backbones`, `build_observer` or `build_backbone`.
        pictures: (n, side_px, side_px, 3) uint8, RGB, 0..255.
        batch_size: pictures in one forward pass; memory grows with it.

    Raises:
        InvalidInputError: a feature is not a number or too large for float16: the weights do not fit the preprocessing.
    """
    rows: list[list[NDArray[np.float32]]] = []
    for start, batch in _full_batches(pictures, batch_size):
        outputs = network.predict_on_batch(batch)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        rows.append([np.asarray(output[: len(pictures) - start], np.float32) for output in outputs])
    features, *probabilities = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    if not (np.abs(features) <= np.finfo(np.float16).max).all():
        raise InvalidInputError(
            f"{network.name} gave features beyond the range of float16. Its weights are damaged or of another network: "
            "check HUB_WEIGHTS."
        )
    indexes, shares = _most_probable(probabilities[0]) if probabilities else (None, None)
    return Observation(features.astype(np.float16), indexes, shares)


def _most_probable(probabilities: NDArray[np.float32]) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    # Rounded first, and stable: what two processors add up in another order comes out as the same classes in the same order.
    rounded = probabilities.round(_PROBABILITY_DIGITS)
    indexes = np.argsort(-rounded, axis=1, kind="stable")[:, :TOP_CLASSES]
    return indexes.astype(np.int16), np.take_along_axis(rounded, indexes, axis=1)


def _full_batches(pictures: NDArray[np.uint8], batch_size: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield start and batch; the last one is filled up with zeros, since a new shape would mean a new compilation."""
    for start in range(0, len(pictures), batch_size):
        batch = pictures[start : start + batch_size]
        if len(batch) < batch_size:
            batch = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), np.uint8)])
        yield start, batch
