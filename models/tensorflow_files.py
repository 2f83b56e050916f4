"""A classifier as TensorFlow's own files: a SavedModel, and LiteRT for small devices, plain or in 8 bits.

`image` (n, side, side, 3) float32 RGB 0..255 in, `probabilities` (n, classes) float32 out, as in all files of a model. A
SavedModel is a folder; it is handed out as a zip of it, the same bytes for the same folder.
"""

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_SIGNATURE = "serving_default"
# The earliest time that a zip can say: a folder's own times would make other bytes of the same model.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_saved_model(classifier: keras.Model, folder: Path) -> None:
    """Write a classifier as a SavedModel, whose signature `serving_default` gives its probabilities.

    Not by `classifier.export`, which traces the network several times over: that took three times as long (docs/experiments.md).
    """
    signature = tf.TensorSpec((None, *classifier.input_shape[1:]), tf.float32, name="image")

    def probabilities(image: Any) -> dict[str, Any]:
        return {"probabilities": classifier(image, training=False)}

    module = tf.Module()
    module.network_variables = [variable.value for variable in classifier.variables]
    traced = tf.function(probabilities, input_signature=[signature]).get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={_SIGNATURE: traced})


def zip_folder(folder: Path, file: Path) -> None:
    """Put a folder into a zip: the same bytes for the same content. Nothing is compressed: weights hardly can be."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_TIME)
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while block := source.read(1 << 20):
                    target.write(block)


def saved_model_answers(file: Path, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Load a zip of `zip_folder` and return what it says of pictures (n, side, side, 3): (n, classes)."""
    with TemporaryDirectory(prefix="saved-model-") as folder:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
        loaded = tf.saved_model.load(folder)
        answers = loaded.signatures[_SIGNATURE](image=tf.constant(inputs))["probabilities"].numpy()
    return np.asarray(answers, np.float32)


def litert_of(saved_model: Path, representative: NDArray[np.uint8] | None = None) -> bytes:
    """Turn the folder of a SavedModel into a LiteRT file.

    Args:
        representative: (n, side, side, 3) of the training split: weights and activations become whole numbers of 8 bits, whose
            ranges are those that these pictures lead to; input and output stay float32. None: all stays float32.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    if representative is not None:

        def pictures() -> Iterator[list[NDArray[np.float32]]]:
            for picture in representative:
                yield [picture[np.newaxis].astype(np.float32)]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = pictures
    with warnings.catch_warnings():
        # Of the calibration's own interpreter; see below.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated", category=UserWarning)
        body: bytes = converter.convert()
    return body


def litert_answers(model: bytes, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a LiteRT file says of pictures (n, side, side, 3): (n, classes)."""
    with warnings.catch_warnings():
        # The package ai_edge_litert is to take its place, and has no wheels for some machines that TensorFlow has.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated", category=UserWarning)
        interpreter = tf.lite.Interpreter(model_content=model)
    run = interpreter.get_signature_runner(_SIGNATURE)
    return np.concatenate([run(image=picture[np.newaxis])["probabilities"] for picture in inputs])
