"""A model's files, of tiny networks: each answers as the network does, and says what it is."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from PIL import Image

from deep_images_hub.model_files import file_kind
from deep_images_hub.predictions import Classifier
from models.compact_vgg import build_compact_vgg
from models.evaluate import Label
from models.explanation import with_evidence
from models.export import TOLERANCE, ExportedModel, ExportMismatchError, export_model, with_head, with_softmax
from models.known_looks import KnownLooks, nearest_known
from models.tensorflow_files import litert_answers, saved_model_answers, zip_folder
from tests.integration.models.smooth_pictures import pictures_of

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

LABELS = [Label("/m/014j1m", "Apple"), Label("/m/0mug", "Striped mug"), Label("/m/09qck", "Banane à l'étal")]


@pytest.fixture(scope="module")
def exported(backbone: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    random = np.random.default_rng(5)
    head = [random.normal(size=(8, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)]
    classifier = with_softmax(with_head(backbone, head))
    folder = tmp_path_factory.mktemp("exported")
    return export_model(
        classifier,
        folder,
        labels=LABELS,
        card={"backbone": "tiny_vgg", "run": 7},
        pictures=pictures_of(6),
        formats=("saved_model", "litert", "litert_int8"),
        representative=pictures_of(20),
    )


def test_exported_files_answer_alike(exported: ExportedModel) -> None:
    pictures = pictures_of(9).astype(np.float32)
    classifier = keras.saving.load_model(exported.files["keras"].path, compile=False)
    expected = classifier.predict(pictures, verbose=0)
    portal = Classifier(exported.files["onnx"].path.read_bytes())

    assert exported.largest_difference <= TOLERANCE
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)
    for picture, probabilities in zip(pictures_of(9, 37), classifier.predict(pictures_cropped(), verbose=0), strict=True):
        answers = portal.answers(Image.fromarray(picture), limit=3)
        by_name = {answer.label_name: answer.score for answer in answers}
        assert [by_name[label.name] for label in LABELS] == pytest.approx(probabilities.tolist(), abs=TOLERANCE)


def test_files_of_tensorflow_answer_alike_and_say_what_they_are_called(exported: ExportedModel) -> None:
    inputs = pictures_of(9).astype(np.float32)
    expected = keras.saving.load_model(exported.files["keras"].path, compile=False).predict(inputs, verbose=0)
    paths = {kind: file.path for kind, file in exported.files.items()}

    np.testing.assert_allclose(saved_model_answers(paths["saved_model"], inputs), expected, atol=TOLERANCE)
    np.testing.assert_allclose(litert_answers(paths["litert"].read_bytes(), inputs), expected, atol=TOLERANCE)
    # Eight bits are another model, about as good.
    np.testing.assert_allclose(litert_answers(paths["litert_int8"].read_bytes(), inputs), expected, atol=0.1)
    assert exported.files["litert_int8"].size_bytes != exported.files["litert"].size_bytes
    assert paths["labels"].read_text(encoding="utf-8").splitlines() == [label.name for label in LABELS]
    for kind, file in exported.files.items():
        assert file.path.name == file_kind(kind).file_name
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_zip_of_a_folder_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    zips = []
    for number, order in enumerate(("ab", "ba")):
        folder = tmp_path / str(number)
        for name in order:
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_bytes(name.encode())
        zip_folder(folder, tmp_path / f"{number}.zip")
        zips.append((tmp_path / f"{number}.zip").read_bytes())

    assert zips[0] == zips[1]
    with zipfile.ZipFile(io.BytesIO(zips[0])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/file": b"a", "b/file": b"b"}


def pictures_cropped() -> np.ndarray:
    """What the portal cuts out of pictures of 37 px for a network of 32."""
    from deep_images_hub.images.network_input import network_input

    return np.stack([network_input(Image.fromarray(picture), 32) for picture in pictures_of(9, 37)]).astype(np.float32)


def test_portal_finds_the_evidence_where_the_network_has_it(exported: ExportedModel, backbone: keras.Model) -> None:
    classifier = keras.saving.load_model(exported.files["keras"].path, compile=False)
    _, expected = with_evidence(classifier).predict(pictures_cropped()[[2]], verbose=0)

    answers = Classifier(exported.files["onnx"].path.read_bytes()).answers(Image.fromarray(pictures_of(9, 37)[2]), limit=3)

    for answer in answers:
        of_label = expected[0][..., [label.code for label in LABELS].index(answer.label_code)]
        np.testing.assert_allclose(answer.evidence, of_label, atol=1e-4 * np.abs(expected).max())


def test_exported_onnx_names_its_labels_and_what_it_is(exported: ExportedModel) -> None:
    model = onnx.load(exported.files["onnx"].path)
    texts = {entry.key: json.loads(entry.value) for entry in model.metadata_props}

    assert texts["labels"] == [{"code": label.code, "name": label.name} for label in LABELS]
    assert texts["model"] == {"backbone": "tiny_vgg", "run": 7}
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["probabilities", "evidence"]


def test_exported_onnx_says_how_near_a_picture_comes_as_plain_numbers_do(backbone: keras.Model, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    head = [random.normal(size=(8, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)]
    means = np.eye(8, dtype=np.float32)[:4]
    card = {"none_of_these": {"threshold": 0.5}}

    exported = export_model(
        with_softmax(with_head(backbone, head)),
        tmp_path,
        labels=LABELS,
        card=card,
        pictures=pictures_of(3),
        known=KnownLooks(means, 0.5, "validation", 20),
    )

    expected = nearest_known(backbone.predict(pictures_cropped(), verbose=0), means)
    portal = Classifier(exported.files["onnx"].path.read_bytes())
    found = [portal.look_at(Image.fromarray(picture)).nearness for picture in pictures_of(9, 37)]
    assert [near.nearest_known for near in found] == pytest.approx(expected.tolist(), abs=TOLERANCE)
    assert np.ptp(expected) > 10 * TOLERANCE
    outputs = onnx.load(exported.files["onnx"].path).graph.output
    assert [value.name for value in outputs] == ["probabilities", "evidence", "nearest_known"]


def test_export_of_a_network_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    inputs = keras.Input((32, 32, 3), name="image")
    logits = keras.layers.Dense(3, name="logits")(keras.layers.GlobalAveragePooling2D(name="features")(inputs))
    # Not a number, wherever it is computed: no difference of it is small.
    classifier = with_softmax(keras.Model(inputs, logits * float("nan")))

    with pytest.raises(ExportMismatchError, match="not published"):
        export_model(classifier, tmp_path, labels=LABELS, card={}, pictures=pictures_of(2))


def test_compact_vgg_exports_like_any_other(tmp_path: Path) -> None:
    classifier = with_softmax(build_compact_vgg(3))

    exported = export_model(classifier, tmp_path, labels=LABELS, card={}, pictures=pictures_of(2, 96))

    assert exported.largest_difference <= TOLERANCE
