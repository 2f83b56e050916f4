"""The files that a trained model comes as: which kinds there are, what each is called, and whom it is for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FileKind:
    """One way to write a model down.

    Attributes:
        name: as in the catalogue and in the setting `model_formats`.
        file_name: what it is called beside its likes.
        title: for people.
        use: what opens it, for people.
        media_type: as HTTP says it.
    """

    name: str
    file_name: str
    title: str
    use: str
    media_type: str = "application/octet-stream"


INT8 = "litert_int8"
# In the order in which they are shown.
FILE_KINDS = (
    FileKind("keras", "model.keras", "Keras", "Keras 3, on any backend"),
    FileKind("saved_model", "model.saved_model.zip", "SavedModel", "TensorFlow and TensorFlow Serving", "application/zip"),
    FileKind("onnx", "model.onnx", "ONNX", "onnxruntime and most other runtimes"),
    FileKind("litert", "model.tflite", "LiteRT", "telephones and small computers"),
    FileKind(INT8, "model.int8.tflite", "LiteRT, 8 bits", "the same, at a quarter of the size"),
    FileKind("labels", "labels.txt", "Labels", "one name a line, by class index", "text/plain; charset=utf-8"),
)
KIND_NAMES = tuple(kind.name for kind in FILE_KINDS)
_BY_NAME = {kind.name: kind for kind in FILE_KINDS}


def file_kind(name: str) -> FileKind:
    """Return a kind by its name. Raises KeyError."""
    return _BY_NAME[name]
