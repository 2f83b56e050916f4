"""A pretrained network cut in two: what is frozen stays, what is trained learns, and both together are the network."""

from pathlib import Path

import keras
import numpy as np
import pytest

from models.backbones import write_random_weights
from models.batches import Examples
from models.fine_tuning import VIEW_NOISE, FineTuning, build_cut_network, fine_tuned_beside, one_view
from models.train_loop import Task, train
from models.training_config import TrainingConfig

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

HEAD = [np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32), np.zeros(3, np.float32)]


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    write_random_weights("tiny_vgg", file, seed=4)
    return file


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (12, 32, 32, 3)).astype(np.uint8)


def fine_tuning(weights_file: Path, seed: int = 1) -> FineTuning:
    return FineTuning("tiny_vgg", weights_file, HEAD, dtype_policy="float32", seed=seed)


def test_trunk_and_top_together_say_what_the_whole_says(weights_file: Path, pictures: np.ndarray) -> None:
    network = build_cut_network("tiny_vgg", weights_file, HEAD)

    whole = network.whole.predict(pictures.astype(np.float32), verbose=0)

    parts = network.top.predict(network.trunk.predict(pictures.astype(np.float32), verbose=0), verbose=0)
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-5)
    assert [variable.path for variable in network.whole.trainable_variables] == [
        "block2_conv1/kernel",
        "block2_conv1/bias",
        "logits/kernel",
        "logits/bias",
    ]


def test_normalisation_stays_as_it_was_pretrained(tmp_path: Path) -> None:
    file = tmp_path / "mobile.weights.h5"
    write_random_weights("mobilenet_v2", file, seed=0)
    network = build_cut_network("mobilenet_v2", file, [np.zeros((1280, 2), np.float32), np.zeros(2, np.float32)])

    trained = {variable.path.partition("/")[0] for variable in network.whole.trainable_variables}

    assert {"block_13_expand", "block_16_project", "Conv_1", "logits"} <= trained
    assert not [name for name in trained if "BN" in name or name.startswith("block_12")]
    assert network.trunk.output.shape == (None, 14, 14, 96)


def test_views_are_the_same_whoever_computes_them(weights_file: Path, pictures: np.ndarray) -> None:
    numbers = np.arange(100, 112)
    views = fine_tuning(weights_file).views(pictures, numbers, count=3)

    alone = fine_tuning(weights_file).views(pictures[4:6], numbers[4:6], count=3)
    other = fine_tuning(weights_file, seed=2).views(pictures, numbers, count=3)

    np.testing.assert_allclose(alone.astype(np.float32), views[4:6].astype(np.float32), rtol=1e-2, atol=1e-2)
    np.testing.assert_array_equal(other[:, 0], views[:, 0])
    assert all(np.abs(views[:, one] - views[:, two]).max() > 1 for one, two in ((0, 1), (1, 2)))
    assert np.abs(other[:, 1] - views[:, 1]).max() > 1


def test_one_view_is_chosen_by_its_noise() -> None:
    activations = np.arange(4 * 3, dtype=np.float16).reshape(4, 3, 1, 1, 1)
    noise = np.array([[0.0], [0.34], [0.67], [0.9999]], np.float32)

    chosen = keras.ops.convert_to_numpy(one_view(activations, noise))

    assert chosen.ravel().tolist() == [0, 4, 8, 11]


def test_fine_tuning_learns_what_its_frozen_trunk_lets_through(weights_file: Path, pictures: np.ndarray) -> None:
    tuned = fine_tuning(weights_file)
    # Light on the left, in the middle or on the right.
    class_index = np.arange(12, dtype=np.int32) % 3
    shown = pictures // 4
    for picture, place in zip(shown, class_index, strict=True):
        picture[:, place * 11 : place * 11 + 10] += 150
    views = tuned.views(shown, np.arange(12), count=1)
    examples = Examples(views.__getitem__, class_index, np.ones(12, np.float32))
    config = TrainingConfig(
        epochs=20,
        global_batch=6,
        learning_rate=0.02,
        epsilon=1e-7,
        l2=0.0,
        dropout=0.0,
        kept_views=1,
        patience=20,
        has_class_weights=False,
    )
    before = build_cut_network("tiny_vgg", weights_file, HEAD)

    task = Task(
        build=tuned.build_top,
        training=examples,
        validation=Examples(views.__getitem__, class_index[:0], np.ones(0, np.float32)),
        distort=one_view,
        noise_width=VIEW_NOISE,
        is_in_training_mode=False,
    )
    trained = train(task, config)

    assert trained.reports[-1].loss < 0.8 * trained.reports[0].loss
    first = build_cut_network("tiny_vgg", weights_file, HEAD).top.get_weights()
    for kept, begun in zip(tuned.build_top().get_weights(), first, strict=True):
        np.testing.assert_array_equal(kept, begun)
    whole, both = fine_tuned_beside("tiny_vgg", weights_file, HEAD, trained.weights, first)
    own, others = np.split(both.predict(shown.astype(np.float32), verbose=0), 2, axis=1)
    for features, network in ((own, whole), (others, before.whole)):
        see = keras.Model(network.input, network.get_layer("features").output)
        np.testing.assert_allclose(features, see.predict(shown.astype(np.float32), verbose=0), rtol=1e-5, atol=1e-5)
    assert np.abs(own - others).max() > 1e-3
    for name, is_trained in (("block1_conv1", False), ("block2_conv1", True), ("logits", True)):
        distance = np.abs(whole.get_layer(name).get_weights()[0] - before.whole.get_layer(name).get_weights()[0]).max()
        assert (distance > 0) == is_trained
