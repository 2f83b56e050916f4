"""Write a model down as `.keras` and as ONNX, and hold both to be the same before anybody relies on them.

The contract of both: `image` (n, side, side, 3) float32 RGB 0..255 in, `probabilities` (n, classes) float32 out; preprocessing
and softmax are inside. The ONNX file also gives `evidence` (n, rows, columns, classes), what each place of a picture adds to each
label (`models.explanation`); says what its classes are called (metadata `labels`: a JSON list of {"code", "name"} by class index)
and what it is (metadata `model`: a JSON object). No layer of our own is in them: Keras alone loads the `.keras`.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
from keras import layers
from numpy.typing import NDArray

from deep_images_hub.errors import HubError
from models.evaluate import Label
from models.explanation import with_evidence

# Largest difference of a probability between two files that count as the same model; of the evidence, in shares of its largest.
TOLERANCE = 1e-4
_OUTPUTS = ["probabilities", "evidence"]


class ExportMismatchError(HubError):
    """A file that was written and loaded again gives other answers than the model that was trained."""

    code = "export_mismatch"


@dataclass(frozen=True)
class ExportedModel:
    """The files of a model, after both gave the same answers as the model itself.

    Attributes:
        largest_difference: of any probability between the model and one of its files.
    """

    keras_file: Path
    keras_sha256: str
    onnx_file: Path
    onnx_sha256: str
    largest_difference: float


def with_head(backbone: keras.Model, weights: list[NDArray[np.float32]]) -> keras.Model:
    """Join a backbone and a head's kernel (d, classes) and bias for its features into one network that gives logits."""
    dense = layers.Dense(len(weights[1]), name="logits")
    network = keras.Model(backbone.input, dense(backbone.output))
    dense.set_weights(weights)
    return network


def with_softmax(network: keras.Model) -> keras.Model:
    """Turn a network that gives logits into one that gives probabilities."""
    return keras.Model(network.input, layers.Softmax(dtype="float32", name="probabilities")(network.output), name="classifier")


def export_model(
    classifier: keras.Model,
    folder: Path,
    *,
    labels: Sequence[Label],
    card: Mapping[str, Any],
    pictures: NDArray[np.uint8],
) -> ExportedModel:
    """Write a classifier as `model.keras` and `model.onnx`, load both again and compare them on real pictures.

    Args:
        classifier: from `with_softmax`.
        folder: exists.
        labels: by class index.
        card: JSON values; what is to be known of the model.
        pictures: (n, side, side, 3) uint8, n at least 1.

    Raises:
        ExportMismatchError: a loaded file differs by more than TOLERANCE.
    """
    inputs = pictures.astype(np.float32)
    explained = with_evidence(classifier)
    expected, evidence = explained.predict(inputs, verbose=0)
    keras_file, onnx_file = folder / "model.keras", folder / "model.onnx"
    classifier.save(keras_file)
    _export_onnx(explained, onnx_file)
    _describe(onnx_file, labels, card)
    answers, places = _onnx_answers(onnx_file, inputs)
    evidence_difference = np.abs(places - evidence).max() / max(1.0, np.abs(evidence).max())
    differences = {
        keras_file: np.abs(keras.saving.load_model(keras_file, compile=False).predict(inputs, verbose=0) - expected).max(),
        onnx_file: np.max([np.abs(answers - expected).max(), evidence_difference]),
    }
    for file, difference in differences.items():
        # Written so that NaN, which compares as nothing, is a mismatch too.
        if not difference <= TOLERANCE:
            raise ExportMismatchError(
                f"{file.name}, loaded again, differs from the trained model by up to {difference:.2g} in what it says of "
                f"{len(pictures)} pictures; at most {TOLERANCE:.0e} was expected. The model is not published."
            )
    return ExportedModel(
        keras_file=keras_file,
        keras_sha256=_sha256(keras_file),
        onnx_file=onnx_file,
        onnx_sha256=_sha256(onnx_file),
        largest_difference=float(max(differences.values())),
    )


def _export_onnx(classifier: keras.Model, file: Path) -> None:
    with warnings.catch_warnings():
        # Keras gives numpy the name `np.object` back for tf2onnx, and numpy warns.
        warnings.filterwarnings("ignore", message=r"In the future `np\.object`", category=FutureWarning)
        classifier.export(file, format="onnx", verbose=False)


def _describe(file: Path, labels: Sequence[Label], card: Mapping[str, Any]) -> None:
    model = onnx.load(file)
    # Keras numbers the outputs of the graph.
    for output, name in zip(model.graph.output, _OUTPUTS, strict=True):
        _rename(model.graph, output, name)
    texts = {"labels": [asdict(label) for label in labels], "model": dict(card)}
    onnx.helper.set_model_props(model, {name: json.dumps(value, ensure_ascii=False) for name, value in texts.items()})
    onnx.checker.check_model(model)
    onnx.save(model, file)


def _rename(graph: Any, output: Any, after: str) -> None:
    before = output.name
    for node in graph.node:
        node.input[:] = [after if name == before else name for name in node.input]
        node.output[:] = [after if name == before else name for name in node.output]
    output.name = after


def _onnx_answers(file: Path, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    probabilities, evidence = session.run(_OUTPUTS, {"image": inputs})
    return np.asarray(probabilities), np.asarray(evidence)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
