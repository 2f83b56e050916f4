"""Ask a trained model what a picture shows: its ONNX file, run by onnxruntime. Needs no TensorFlow.

The file says all that is needed: input `image` (n, side, side, 3) RGB 0..255, output `probabilities` (n, classes), and in its
metadata `labels`, a JSON list of {"code", "name"} by class index, and `model`, the model card. The output `evidence` (n, rows,
columns, classes), what each place of the picture adds to each label, is in files of this hub since there are such maps; the
output `nearest_known` (n,), with a threshold in the model card, where it is known what looks like nothing that was learned from.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile
from PIL import Image

from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.images.decode import Photograph, Refusal, decode
from deep_images_hub.images.network_input import network_input
from deep_images_hub.object_store import ObjectStore

# Models that one process keeps open; a VGG16 holds 60 MB.
MAX_OPEN_MODELS = 4
_MAX_THREADS = 4
_UNREADABLE = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile)


@dataclass(frozen=True)
class Answer:
    """One label that a picture may show.

    Attributes:
        score: its probability, 0..1.
        evidence: (rows, columns), what each place of the middle of the picture adds to the label's logit; below 0 it speaks
            against it. None: the model's file does not say.
    """

    label_code: str
    label_name: str
    score: float
    evidence: NDArray[np.float32] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Nearness:
    """How near a picture comes to what a model learned from: the cosine between its features and the nearest looks of any label.

    Attributes:
        threshold: what most pictures of the model's own labels reach.
    """

    nearest_known: float
    threshold: float

    @property
    def is_none_of_these(self) -> bool:
        """Whether the picture is probably none of the model's labels, whichever comes nearest."""
        return self.nearest_known < self.threshold


@dataclass(frozen=True)
class Looked:
    """What a model makes of a picture: its likeliest labels, best first. nearness: None where the model's file does not say."""

    answers: list[Answer]
    nearness: Nearness | None

    @property
    def is_none_of_these(self) -> bool:
        """Whether the model says so; False also where its file does not say."""
        return self.nearness is not None and self.nearness.is_none_of_these


class Classifier:
    """An open model. Safe to share between threads.

    Args:
        model: the bytes of an ONNX file of ours.
        threads: that one call uses.

    Raises:
        InvalidInputError: these bytes are no such model; the message says what is missing.
    """

    def __init__(self, model: bytes, *, threads: int = _MAX_THREADS) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except _UNREADABLE as error:
            raise InvalidInputError(f"These {len(model)} bytes are not an ONNX model that can be run: {error}") from error
        metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        inputs = {entry.name: entry for entry in self._session.get_inputs()}
        outputs = {entry.name for entry in self._session.get_outputs()}
        if "image" not in inputs or "probabilities" not in outputs or "labels" not in metadata:
            raise InvalidInputError(
                f"The ONNX model has inputs {sorted(inputs)}, outputs {sorted(outputs)} and metadata {sorted(metadata)}; "
                "expected input `image`, output `probabilities` and metadata `labels`, as this hub exports them."
            )
        self._outputs = [name for name in ("probabilities", "evidence") if name in outputs]
        self._labels: list[tuple[str, str]] = [(label["code"], label["name"]) for label in json.loads(metadata["labels"])]
        self._side_px = int(inputs["image"].shape[1])
        self._dtype = np.uint8 if inputs["image"].type == "tensor(uint8)" else np.float32
        self.card: dict[str, Any] = json.loads(metadata.get("model", "{}"))
        none_of_these = self.card.get("none_of_these") if "nearest_known" in outputs else None
        self._threshold: float | None = none_of_these["threshold"] if none_of_these else None
        if self._threshold is not None:
            self._outputs.append("nearest_known")

    @property
    def side_px(self) -> int:
        """Side of the pictures that it takes."""
        return self._side_px

    @property
    def labels(self) -> Sequence[tuple[str, str]]:
        """Codes and names by class index."""
        return self._labels

    def likeliest(
        self, pictures: NDArray[np.uint8], *, limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
        """Return the likeliest labels of many pictures at once, best first; equal scores by class index.

        Args:
            pictures: (n, side_px, side_px, 3), as `network_input` gives them.

        Returns:
            Class indices and scores, (n, at most limit), and whether a picture is probably none of these, (n,).
        """
        wanted = [name for name in self._outputs if name != "evidence"]
        output, *nearest = self._session.run(wanted, {"image": pictures.astype(self._dtype)})
        probabilities = np.asarray(output, np.float32)
        is_none = np.asarray(nearest[0]) < self._threshold if nearest else np.zeros(len(pictures), np.bool_)
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :limit]
        return best, np.take_along_axis(probabilities, best, axis=1), is_none

    def answers(self, picture: Image.Image, *, limit: int = 5) -> list[Answer]:
        """Return the likeliest labels of a picture (upright, RGB, any size), best first; equal scores by class index."""
        return self.look_at(picture, limit=limit).answers

    def look_at(self, picture: Image.Image, *, limit: int = 5) -> Looked:
        """Return what `answers` does, and whether the picture is probably none of these."""
        batch = network_input(picture, self._side_px)[np.newaxis].astype(self._dtype)
        outputs = self._session.run(self._outputs, {"image": batch})
        said = {name: np.asarray(output)[0] for name, output in zip(self._outputs, outputs, strict=True)}
        probabilities, places = said["probabilities"], said.get("evidence")
        best = np.argsort(-probabilities, kind="stable")[:limit]
        answers = []
        for index in best:
            code, name = self._labels[index]
            answers.append(Answer(code, name, float(probabilities[index]), None if places is None else places[..., index]))
        nearness = None if self._threshold is None else Nearness(float(said["nearest_known"]), self._threshold)
        return Looked(answers, nearness)


def photograph_of_upload(body: bytes, *, max_pixels: int, short_side_px: int) -> Photograph:
    """Decode bytes that anybody sent, for `Classifier.answers`.

    Args:
        max_pixels: more than this is refused before anything is decoded.
        short_side_px: of the pictures that the hub stores: the network sees this one as it saw those.

    Raises:
        InvalidInputError: the bytes are no photograph; the message says what they are.
    """
    photograph = decode(body, max_pixels=max_pixels, short_side_px=short_side_px)
    if isinstance(photograph, Refusal):
        raise InvalidInputError(f"This file cannot be looked at. {photograph.detail} Send one photograph as JPEG, PNG or WebP.")
    return photograph


def verified_classifier(store: ObjectStore, *, key: str, sha256: str, threads: int = _MAX_THREADS) -> Classifier:
    """Open a model's ONNX object.

    Raises:
        NotFoundError: the store has no such object.
        UnavailableError: it is not the file that was recorded.
    """
    body = store.read(key)
    found = hashlib.sha256(body).hexdigest()
    if found != sha256:
        raise UnavailableError(
            f"The model file {key} has sha256 {found}, but {sha256} was recorded: it was changed or damaged. "
            "Train the model again, or bring the file back."
        )
    return Classifier(body, threads=threads)


class OpenModels:
    """The models that a process has open: the most recently used ones, by the sha256 of their file. Safe to share."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._classifiers: OrderedDict[str, Classifier] = OrderedDict()

    def classifier(self, *, key: str, sha256: str) -> Classifier:
        """Open a model's ONNX object, or return it if it is open.

        Raises:
            NotFoundError: the store has no such object.
            UnavailableError: it is not the file that was recorded.
        """
        with self._lock:
            classifier = self._classifiers.get(sha256)
            if classifier is None:
                classifier = self._classifiers[sha256] = verified_classifier(self._store, key=key, sha256=sha256)
            self._classifiers.move_to_end(sha256)
            while len(self._classifiers) > MAX_OPEN_MODELS:
                self._classifiers.popitem(last=False)
            return classifier
