"""Real Keras on tiny networks: weights files, preprocessing, features, heads, distortion."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from deep_images_hub.errors import InvalidInputError
from models.augmentation import DISTORTION_NOISE, distort
from models.backbones import build_backbone, build_observer, trunk_layer, write_random_weights
from models.compact_vgg import build_compact_vgg
from models.explanation import with_evidence
from models.export import with_head, with_softmax
from models.feature_scale import FeatureScale
from models.features import TOP_CLASSES, dtype_policy, observe
from models.ghost_batch_norm import GROUP_ROWS, GhostBatchNormalization
from models.head import for_unscaled_features, hide_features
from models.linear_probe import class_probabilities
from models.specs import backbone_spec
from tests.integration.models.smooth_pictures import pictures_of

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")


def published_form_of(weights_file: Path, path: Path, names: list[str]) -> Path:
    """Write weights in the older form, in which Keras publishes them and which it no longer writes itself."""
    with h5py.File(weights_file) as given, h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name, layer in zip(names, sorted(given["layers"], key=lambda name: ("dense" in name, name)), strict=True):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            for number, variable in enumerate(("kernel:0", "bias:0")):
                group.create_dataset(f"{name}/{variable}", data=given["layers"][layer.removesuffix("/vars")]["vars"][str(number)])
    return path


@pytest.mark.parametrize("is_published_form", [False, True])
def test_weights_with_their_classification_head_give_the_features_of_the_file(tmp_path: Path, is_published_form: bool) -> None:
    files = []
    for seed in (1, 2):
        file = tmp_path / f"tiny_top_{seed}.weights.h5"
        write_random_weights("tiny_vgg", file, seed=seed, include_top=True)
        if is_published_form:
            names = ["block1_conv1", "block2_conv1", "predictions"]
            with h5py.File(file, "a") as opened:
                for layer in [layer for layer in opened["layers"] if not len(opened["layers"][layer]["vars"])]:
                    del opened["layers"][layer]
            file = published_form_of(file, tmp_path / f"tiny_top_{seed}.h5", names)
        files.append(file)
    pictures = pictures_of(3)

    one, again, other = (
        observe(build_backbone("tiny_vgg", file), pictures, batch_size=2).features for file in (files[0], *files)
    )

    assert one.shape == (3, 8)
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1  # the weights of the file are what counts


def test_weights_with_a_head_give_features_and_classes_in_one_pass(tmp_path: Path, backbone: keras.Model) -> None:
    file = tmp_path / "tiny_top.weights.h5"
    write_random_weights("tiny_vgg", file, seed=3, include_top=True)
    pictures = pictures_of(5)
    observer = build_observer("tiny_vgg", file)
    _, probabilities = observer.predict(pictures.astype(np.float32), verbose=0)

    seen = observe(observer, pictures, batch_size=2)

    assert seen.class_indexes is not None
    assert seen.class_probabilities is not None
    np.testing.assert_array_equal(seen.features, observe(build_backbone("tiny_vgg", file), pictures, batch_size=2).features)
    assert seen.class_indexes.shape == seen.class_probabilities.shape == (5, TOP_CLASSES)
    assert (np.diff(seen.class_probabilities, axis=1) <= 0).all()
    np.testing.assert_allclose(np.take_along_axis(probabilities, seen.class_indexes, axis=1), seen.class_probabilities, atol=1e-4)
    assert observe(backbone, pictures, batch_size=2).class_indexes is None


def test_backbone_is_frozen_and_flat(backbone: keras.Model) -> None:
    assert backbone.trainable_variables == []
    assert backbone.get_layer("block2_conv1").output.shape == (None, 16, 16, 8)


def test_preprocessing_turns_rgb_into_bgr_without_the_mean(backbone: keras.Model) -> None:
    seen = keras.Model(backbone.input, backbone.get_layer("minus_mean").output)
    picture = np.full((1, 32, 32, 3), (200.0, 100.0, 50.0), np.float32)

    np.testing.assert_allclose(seen.predict(picture, verbose=0)[0, 0, 0], (50 - 103.939, 100 - 116.779, 200 - 123.68), atol=1e-4)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not HDF5 at all", "not a weights file: expected HDF5"), (None, r"holds 10 variables; tiny_vgg has 4, or 6 with")],
)
def test_file_without_the_weights_of_this_network_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "other.weights.h5"
    if content is None:
        keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4) for _ in range(5))]).save_weights(path)
    else:
        path.write_bytes(content)

    with pytest.raises(InvalidInputError, match=message):
        build_backbone("tiny_vgg", path)


def test_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3), keras.layers.Conv2D(5, 3)]).save_weights(path)

    with pytest.raises(InvalidInputError, match="does not hold weights of tiny_vgg"):
        build_backbone("tiny_vgg", path)


def test_bfloat16_features_are_close_to_float32(backbone: keras.Model, weights_file: Path) -> None:
    pictures = pictures_of(5)
    exact = observe(backbone, pictures, batch_size=4).features.astype(np.float32)

    found = observe(build_backbone("tiny_vgg", weights_file, dtype_policy="mixed_bfloat16"), pictures, batch_size=4).features

    assert found.dtype == np.float16
    assert np.abs(found - exact).max() < 0.02 * np.abs(exact).max()
    assert np.abs(found - exact).max() > 0  # it was not float32 after all
    assert keras.config.dtype_policy().name == "float32"


def test_bfloat16_is_never_chosen_for_depthwise_convolutions() -> None:
    assert dtype_policy("auto", "mobilenet_v2") == "float32"
    assert dtype_policy("on", "mobilenet_v2") == "mixed_bfloat16"
    assert dtype_policy("off", "vgg16") == "float32"


def test_features_beyond_float16_are_refused(weights_file: Path) -> None:
    damaged = build_backbone("tiny_vgg", weights_file)
    damaged.set_weights([weight * 1e6 for weight in damaged.get_weights()])

    with pytest.raises(InvalidInputError, match="beyond the range of float16"):
        observe(damaged, pictures_of(2), batch_size=2)


def test_head_for_unscaled_features_says_the_same() -> None:
    random = np.random.default_rng(0)
    features = (random.normal(size=(40, 6)) * 7 + 3).astype(np.float32)
    scale = FeatureScale.of(features)
    weights = [random.normal(size=(6, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)]

    scaled = class_probabilities(weights, scale.scaled(features))

    assert scale.scaled(features).std() == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(class_probabilities(for_unscaled_features(weights, scale), features), scaled, atol=1e-5)
    np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-6)


def test_hidden_features_keep_their_mean() -> None:
    noise = np.random.default_rng(0).random((200, 50), np.float32)

    hidden = np.asarray(hide_features(np.ones((200, 50), np.float32), noise, rate=0.25))

    np.testing.assert_allclose(np.unique(hidden), [0, 4 / 3], rtol=1e-6)
    assert hidden.mean() == pytest.approx(1, abs=0.02)


def test_distortion_in_the_middle_of_its_ranges_changes_nothing() -> None:
    pictures = pictures_of(2)

    unchanged = np.asarray(distort(pictures, np.full((2, DISTORTION_NOISE), 0.5, np.float32)))

    np.testing.assert_allclose(unchanged, pictures, atol=1e-3)


def test_distortion_of_a_mirrored_picture_is_its_mirror_image() -> None:
    pictures = pictures_of(2)
    noise = np.full((2, DISTORTION_NOISE), 0.5, np.float32)
    noise[1, 0] = 0.2

    found = np.asarray(distort(pictures, noise))

    np.testing.assert_allclose(found[0], pictures[0], atol=1e-3)
    np.testing.assert_allclose(found[1], pictures[1, :, ::-1], atol=1e-3)


def test_distortions_differ_by_noise_and_stay_pictures() -> None:
    pictures = np.repeat(pictures_of(1), 8, axis=0)

    found = np.asarray(distort(pictures, np.random.default_rng(0).random((8, DISTORTION_NOISE), np.float32)))

    assert found.min() >= 0
    assert found.max() <= 255
    assert all(np.abs(found[0] - other).mean() > 5 for other in found[1:])


def test_efficientnet_is_flat_up_to_the_activations_that_are_pooled(tmp_path: Path) -> None:
    write_random_weights("efficientnet_v2_b0", tmp_path / "any.weights.h5", seed=1)

    network = build_backbone("efficientnet_v2_b0", tmp_path / "any.weights.h5")

    assert network.output_shape == (None, backbone_spec("efficientnet_v2_b0").feature_count)
    assert network.get_layer("features").input.shape == (None, 7, 7, 1280)
    assert network.get_layer(trunk_layer("efficientnet_v2_b0")).output.shape[1:3] == (14, 14)
    standardised = keras.Model(network.input, network.get_layer("standardised").output)
    shown = standardised.predict(np.full((1, 224, 224, 3), [255 * 0.485, 0, 255 * (0.406 + 0.225)], np.float32), verbose=0)
    np.testing.assert_allclose(shown[0, 0, 0], [0, -0.456 / 0.224, 1], atol=1e-5)


def test_evidence_of_all_places_adds_up_to_what_the_network_says(backbone: keras.Model) -> None:
    random = np.random.default_rng(6)
    kernel, bias = random.normal(size=(8, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)
    network = with_head(backbone, [kernel, bias])
    pictures = pictures_of(4).astype(np.float32)

    probabilities, evidence = with_evidence(with_softmax(network)).predict(pictures, verbose=0)

    assert evidence.shape == (4, 8, 8, 3)
    logits = network.predict(pictures, verbose=0)
    np.testing.assert_allclose(evidence.sum(axis=(1, 2)) + bias, logits, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), logits.argmax(axis=1))


def test_ghost_batches_do_not_depend_on_who_else_computes_them() -> None:
    random = np.random.default_rng(5)
    halves = random.normal([3, -1, 0], [1, 4, 2], (2, GROUP_ROWS, 6, 6, 3)).astype(np.float32)
    alone, together = (GhostBatchNormalization(momentum=0.5) for _ in range(2))

    separate = [np.asarray(alone(half, training=True)) for half in halves]
    whole = np.asarray(together(halves.reshape(-1, 6, 6, 3), training=True))

    np.testing.assert_allclose(whole, np.concatenate(separate), atol=1e-5)
    np.testing.assert_allclose(whole[:GROUP_ROWS].mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(whole[:GROUP_ROWS].var(axis=(0, 1, 2)), 1, rtol=0.01)
    np.testing.assert_allclose(np.asarray(together.moving_mean), halves.mean(axis=(0, 1, 2, 3)) / 2, atol=1e-5)


def test_network_trained_with_ghost_batches_answers_the_same_with_batch_normalisation_of_keras() -> None:
    trained, used = build_compact_vgg(3, normalisation=GhostBatchNormalization), build_compact_vgg(3)
    pictures = pictures_of(5, 96).astype(np.float32)
    for _ in range(3):
        trained(pictures, training=True)

    used.set_weights(trained.get_weights())

    np.testing.assert_array_equal(np.asarray(used(pictures)), np.asarray(trained(pictures)))
