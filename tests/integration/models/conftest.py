"""A network small enough for tests, with random weights."""

from pathlib import Path

import keras
import pytest

from models.backbones import build_backbone, write_random_weights


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    write_random_weights("tiny_vgg", path, seed=1)
    return path


@pytest.fixture(scope="session")
def backbone(weights_file: Path) -> keras.Model:
    return build_backbone("tiny_vgg", weights_file)
