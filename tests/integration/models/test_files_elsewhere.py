"""Each file of a model, loaded by its own runtime in a process that has nothing of this project, says what the portal says.

Where HUB_TEST_WEIGHTS (MobileNetV2) and HUB_TEST_PHOTOS name them, the network and the photographs are real, and the pictures are
what the hub stores of these; elsewhere a tiny network is asked about drawn ones.
"""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep_images_hub.images.decode import Photograph, decode
from deep_images_hub.images.network_input import network_input
from deep_images_hub.predictions import Classifier
from deep_images_hub.settings import Settings
from models.backbones import build_backbone
from models.evaluate import Label
from models.export import TOLERANCE, ExportedModel, export_model, with_head, with_softmax
from models.specs import backbone_spec
from tests.integration.models.smooth_pictures import pictures_of

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

LABELS = [Label(f"/m/{name}", name) for name in ("apple", "banana", "lemon", "milk", "yoghurt")]
PICTURES = 12
PROGRAM = Path(__file__).with_name("strangers_program.py")
OURS = {"deep_images_hub", "models", "spark_jobs", "webapp"}


@dataclass(frozen=True)
class Published:
    """A model's files, and a folder of pictures."""

    model: ExportedModel
    pictures: Path


@pytest.fixture(scope="module")
def published(weights_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    pictures, files = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("files")
    backbone, weights = "tiny_vgg", weights_file
    if (real_weights := os.environ.get("HUB_TEST_WEIGHTS")) and (photos := os.environ.get("HUB_TEST_PHOTOS")):
        backbone, weights = "mobilenet_v2", Path(real_weights)
        for path in sorted(Path(photos, "train").rglob("*.jpg"))[:: 2640 // PICTURES][:PICTURES]:
            stored_as_the_hub_does(path, pictures / f"{len(list(pictures.iterdir())):02}.jpg")
    else:
        for at, pixels in enumerate(pictures_of(PICTURES, 48)):
            Image.fromarray(pixels).crop((0, 0, 48, 40)).save(pictures / f"{at:02}.png")
    assert len(list(pictures.iterdir())) == PICTURES
    spec = backbone_spec(backbone)
    network = build_backbone(backbone, weights)
    shown = np.stack([network_input(Image.open(path), spec.side_px) for path in sorted(pictures.iterdir())])
    features = network.predict(shown.astype(np.float32), verbose=0)
    # So that something else is said of each picture, and of none with certainty.
    kernel = np.random.default_rng(5).normal(size=(features.shape[1], len(LABELS))) / (features.std() * features.shape[1] ** 0.5)
    head = [kernel, -features.mean(axis=0) @ kernel]
    model = export_model(
        with_softmax(with_head(network, [part.astype(np.float32) for part in head])),
        files,
        labels=LABELS,
        card={},
        pictures=pictures_of(2, spec.side_px),
        formats=("saved_model", "litert", "litert_int8"),
        representative=pictures_of(20, spec.side_px),
    )
    return Published(model, pictures)


def stored_as_the_hub_does(source: Path, target: Path) -> None:
    settings = Settings()
    photograph = decode(source.read_bytes(), max_pixels=settings.max_pixels, short_side_px=settings.image_side_px)
    assert isinstance(photograph, Photograph)
    photograph.picture.save(target, quality=95)


def said_by_a_stranger(kinds: tuple[str, ...], published: Published, tmp_path: Path) -> dict[str, np.ndarray]:
    """Run the stranger's program: no packages but those installed, no environment, another folder."""
    files = [part for kind in kinds for part in (kind, published.model.files[kind].path)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", PROGRAM, sysconfig.get_path("purelib"), published.pictures, *files],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert not OURS & set(said["modules"])
    assert "onnx" not in kinds or not {"tensorflow", "keras"} & set(said["modules"])
    return {kind: np.array(probabilities) for kind, probabilities in said["probabilities"].items()}


def said_by_the_portal(published: Published) -> np.ndarray:
    portal = Classifier(published.model.files["onnx"].path.read_bytes())
    answers = [portal.answers(Image.open(path), limit=len(LABELS)) for path in sorted(published.pictures.iterdir())]
    by_name = [{answer.label_name: answer.score for answer in of_picture} for of_picture in answers]
    return np.array([[scores[label.name] for label in LABELS] for scores in by_name])


@pytest.mark.parametrize(
    "kinds", [("keras",), ("saved_model", "litert", "litert_int8"), ("onnx",)], ids=["keras", "tensorflow", "onnxruntime"]
)
def test_files_say_elsewhere_what_the_portal_says(kinds: tuple[str, ...], published: Published, tmp_path: Path) -> None:
    portal = said_by_the_portal(published)
    assert portal.std(axis=0).min() > 100 * TOLERANCE, "pictures of which all is said alike would prove nothing"

    said = said_by_a_stranger(kinds, published, tmp_path)

    for kind in kinds:
        # Eight bits are another model, about as good.
        np.testing.assert_allclose(said[kind], portal, atol=0.2 if kind == "litert_int8" else TOLERANCE, err_msg=kind)
