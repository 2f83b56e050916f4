"""Write a model's files, load each again by its own runtime, and hold them to be the same before anybody relies on them.

The contract of all: `image` (n, side, side, 3) float32 RGB 0..255 in, `probabilities` (n, classes) float32 out; preprocessing
and softmax are inside. The ONNX file also gives `evidence` (n, rows, columns, classes), what each place of a picture adds to each
label (`models.explanation`), and where it is known `nearest_known` (n,), how near a picture comes to what was learned from
(`models.known_looks`); says what its classes are called (metadata `labels`: a JSON list of {"code", "name"} by class index) and
what it is (metadata `model`: a JSON object; its `none_of_these` has the threshold of `nearest_known`). `labels.txt` has the same
names, one a line. No layer of our own is in them: Keras alone loads the `.keras`. `.keras`, ONNX and `labels.txt` are always
written; `tensorflow_files` knows the others.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
from keras import layers
from numpy.typing import NDArray

from deep_images_hub.errors import HubError, InvalidInputError
from deep_images_hub.model_files import file_kind
from models.evaluate import Label
from models.explanation import with_evidence, with_nearest_known
from models.known_looks import KnownLooks

# Largest difference of a probability between two files that count as the same model; of the evidence, in shares of its largest.
TOLERANCE = 1e-4
_OUTPUTS = ["probabilities", "evidence", "nearest_known"]


class ExportMismatchError(HubError):
    """A file that was written and loaded again gives other answers than the model that was trained."""

    code = "export_mismatch"


@dataclass(frozen=True)
class ExportedFile:
    """A file of a model, of a kind of `deep_images_hub.model_files`."""

    kind: str
    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class ExportedModel:
    """The files of a model, after all of them gave the same answers as the model itself.

    Attributes:
        files: by kind.
        largest_difference: of any probability between the model and one of its files, but for the one in 8 bits, which is another
            model: how good that one is must be measured.
    """

    files: Mapping[str, ExportedFile]
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
    known: KnownLooks | None = None,
    formats: Collection[str] = (),
    representative: NDArray[np.uint8] | None = None,
    call_apart: Callable[..., Any] | None = None,
) -> ExportedModel:
    """Write a classifier's files, load each again and compare them on real pictures.

    Args:
        classifier: from `with_softmax`.
        folder: exists.
        labels: by class index.
        card: JSON values; what is to be known of the model.
        pictures: (n, side, side, 3) uint8, n at least 1.
        known: what the ONNX file tells from anything else; None: it cannot.
        formats: kinds of file beside those that every model has: `saved_model`, `litert`, `litert_int8`.
        representative: for `litert_int8`: pictures of the training split, as `pictures`.
        call_apart: calls a function with arguments in another process, which is given half of the work; None: all of it is done
            here, one after the other.

    Raises:
        ExportMismatchError: a loaded file differs by more than TOLERANCE.
    """
    inputs = pictures.astype(np.float32)
    explained = with_evidence(classifier)
    if known is not None:
        explained = with_nearest_known(explained, known.means)
    expected, evidence, *nearest = explained.predict(inputs, verbose=0)
    paths = {kind: folder / file_kind(kind).file_name for kind in ("keras", "onnx", "labels", *formats)}
    paths["labels"].write_text("".join(f"{' '.join(label.name.split())}\n" for label in labels), encoding="utf-8")
    classifier.save(paths["keras"])
    others = (paths, inputs, expected, representative)
    with ThreadPoolExecutor(1, thread_name_prefix="export") as waiting:
        apart = None if call_apart is None else waiting.submit(call_apart, _write_others, *others)
        _export_onnx(explained, paths["onnx"])
        _describe(paths["onnx"], labels, card)
        answers, places, *near = _onnx_answers(paths["onnx"], inputs)
        differences = {
            "onnx": max(
                _difference(answers, expected),
                _difference(places, evidence) / max(1.0, float(np.abs(evidence).max())),
                *(_difference(found, said) for found, said in zip(near, nearest, strict=True)),
            )
        }
        differences |= _write_others(*others) if apart is None else apart.result()
    for kind, difference in differences.items():
        # Written so that NaN, which compares as nothing, is a mismatch too.
        if not difference <= TOLERANCE:
            raise ExportMismatchError(
                f"{paths[kind].name}, loaded again, differs from the trained model by up to {difference:.2g} in what it says of "
                f"{len(pictures)} pictures; at most {TOLERANCE:.0e} was expected. The model is not published."
            )
    files = {kind: ExportedFile(kind, path, _sha256(path), path.stat().st_size) for kind, path in paths.items()}
    return ExportedModel(files, largest_difference=max(differences.values()))


def _write_others(
    paths: Mapping[str, Path],
    inputs: NDArray[np.float32],
    expected: NDArray[np.float32],
    representative: NDArray[np.uint8] | None,
) -> dict[str, float]:
    """Load the `.keras` file, write from it those of TensorFlow that are asked for, and return how far each is from the model.

    Of the file in 8 bits nothing is said: it should be another model. May run in a process of its own.
    """
    classifier = keras.saving.load_model(paths["keras"], compile=False)
    differences = {"keras": _difference(classifier.predict(inputs, verbose=0), expected)}
    if not {"saved_model", "litert", "litert_int8"} & paths.keys():
        return differences
    from models.tensorflow_files import litert_answers, litert_of, saved_model_answers, write_saved_model, zip_folder

    with TemporaryDirectory(prefix="saved-model-") as name:
        folder = Path(name)
        write_saved_model(classifier, folder)
        if "saved_model" in paths:
            zip_folder(folder, paths["saved_model"])
            differences["saved_model"] = _difference(saved_model_answers(paths["saved_model"], inputs), expected)
        if "litert" in paths:
            paths["litert"].write_bytes(litert_of(folder))
            differences["litert"] = _difference(litert_answers(paths["litert"].read_bytes(), inputs), expected)
        if "litert_int8" in paths:
            if representative is None:
                raise InvalidInputError("A model in 8 bits needs pictures of the training split (`representative`).")
            paths["litert_int8"].write_bytes(litert_of(folder, representative))
    return differences


def _difference(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    return float(np.abs(found - expected).max())


def _export_onnx(classifier: keras.Model, file: Path) -> None:
    with warnings.catch_warnings():
        # Keras gives numpy the name `np.object` back for tf2onnx, and numpy warns.
        warnings.filterwarnings("ignore", message=r"In the future `np\.object`", category=FutureWarning)
        classifier.export(file, format="onnx", verbose=False)


def _describe(file: Path, labels: Sequence[Label], card: Mapping[str, Any]) -> None:
    model = onnx.load(file)
    # Keras numbers the outputs of the graph.
    for output, name in zip(model.graph.output, _OUTPUTS, strict=False):
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


def _onnx_answers(file: Path, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(None, {"image": inputs})]


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
