"""Answers of exported models: right order, kept open, and nothing but a clear refusal for bytes that are no picture."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.images.network_input import network_input
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.predictions import MAX_OPEN_MODELS, Classifier, OpenModels, photograph_of_upload
from tests.builders import onnx_model, photograph

LABELS = [("/m/1", "Apple"), ("/m/2", "Pear"), ("/m/3", "Hell's Kitchen")]
LIMITS = {"max_pixels": 1_000_000, "short_side_px": 256}


def test_answers_are_the_models_probabilities_best_first() -> None:
    picture = Image.open(io.BytesIO(photograph(1))).convert("RGB")
    classifier = Classifier(onnx_model(LABELS, side_px=16))
    answers = classifier.answers(picture)
    assert {(answer.label_code, answer.label_name) for answer in answers} == set(LABELS)
    assert sum(answer.score for answer in answers) == pytest.approx(1)
    assert [answer.score for answer in answers] == sorted((answer.score for answer in answers), reverse=True)
    # The picture reached the network as every other part of the hub gives it.
    direct = classifier._session.run(None, {"image": network_input(picture, 16)[np.newaxis].astype(np.float32)})[0][0]
    assert answers[0].score == pytest.approx(float(direct.max()))
    assert answers[0].label_code == LABELS[int(direct.argmax())][0]


def test_answers_are_no_more_than_asked_for() -> None:
    picture = photograph_of_upload(photograph(1), **LIMITS).picture
    assert len(Classifier(onnx_model(LABELS)).answers(picture, limit=2)) == 2


def test_model_that_says_how_near_a_picture_comes_can_answer_none_of_these() -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ((204, 0, 0), (0, 0, 204)))
    classifier = Classifier(onnx_model(LABELS, threshold=0.5))

    near, far = classifier.look_at(red), classifier.look_at(blue)

    assert (near.is_none_of_these, far.is_none_of_these) == (False, True)
    assert near.nearness is not None
    assert near.nearness.threshold == 0.5
    assert near.nearness.nearest_known == pytest.approx(0.8, abs=1e-3)
    # The closest label is still named.
    assert far.answers == Classifier(onnx_model(LABELS)).answers(blue)
    batch = np.stack([network_input(picture, 16) for picture in (red, blue)])
    assert classifier.likeliest(batch, limit=1)[2].tolist() == [False, True]


def test_model_from_before_never_answers_none_of_these() -> None:
    classifier = Classifier(onnx_model(LABELS))

    looked = classifier.look_at(Image.new("RGB", (64, 64)))

    assert looked.nearness is None
    assert not looked.is_none_of_these
    assert classifier.likeliest(np.zeros((2, 16, 16, 3), np.uint8), limit=1)[2].tolist() == [False, False]


@pytest.mark.parametrize(
    ("body", "part_of_message"),
    [
        (b"", "no bytes"),
        (b"<html>not a picture</html>", "content is html"),
        (photograph(1)[:-200], "ends before"),
        (photograph(1, (1200, 900)), "pixels"),
    ],
)
def test_upload_that_is_no_photograph_is_refused_in_words(body: bytes, part_of_message: str) -> None:
    with pytest.raises(InvalidInputError, match=r"Send one photograph") as caught:
        photograph_of_upload(body, **LIMITS)
    assert part_of_message in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"garbage", photograph(1)])
def test_bytes_that_are_no_model_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not an ONNX model"):
        Classifier(body)


def test_model_stays_open_and_only_so_many_do(tmp_path) -> None:
    store = FolderStore(tmp_path)
    models = OpenModels(store)
    made = {}
    for number in range(MAX_OPEN_MODELS + 1):
        body = onnx_model([*LABELS, (f"/m/{number}", "Extra")])
        made[number] = {"key": f"models/{number}.onnx", "sha256": hashlib.sha256(body).hexdigest()}
        store.create(made[number]["key"], body)
    first = models.classifier(**made[0])
    assert models.classifier(**made[0]) is first
    for number in range(1, MAX_OPEN_MODELS + 1):
        models.classifier(**made[number])
    assert models.classifier(**made[MAX_OPEN_MODELS]) is not first
    assert models.classifier(**made[0]) is not first


def test_model_file_that_was_changed_is_not_opened(tmp_path) -> None:
    store = FolderStore(tmp_path)
    store.create("models/1.onnx", onnx_model(LABELS))
    with pytest.raises(UnavailableError, match="changed or damaged"):
        OpenModels(store).classifier(key="models/1.onnx", sha256="0" * 64)
