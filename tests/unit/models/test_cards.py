"""Training cards and network specs: what can be asked without loading Keras."""

import subprocess
import sys

import pytest

from deep_images_hub.errors import InvalidInputError
from models.specs import backbone_spec, features_model
from models.training_config import load_card


@pytest.mark.parametrize("name", ["head", "fine_tune", "compact_vgg"])
def test_card_of_each_kind_of_training_is_whole(name: str) -> None:
    config = load_card(name, seed=7)

    assert config.seed == 7
    assert config.epochs > 0
    assert config.global_batch > 0
    assert 0 < config.epsilon < 1
    assert 0 <= config.dropout < 1
    assert isinstance(config.has_class_weights, bool)


def test_card_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"no training card config/training/tail\.toml"):
        load_card("tail", seed=0)


def test_backbone_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(InvalidInputError, match=r"'vgg61'.*vgg16, mobilenet_v2, resnet50, efficientnet_v2_b0, compact_vgg"):
        backbone_spec("vgg61")


def test_features_of_other_weights_have_another_name() -> None:
    assert features_model("vgg16", "ab12" * 16) == "vgg16-ab12ab12ab12"


def test_specs_cards_and_metrics_load_no_keras() -> None:
    code = "import models.specs, models.training_config, models.evaluate, models.batches, sys; print('keras' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"
