"""Weights from files, objects and Keras's cache, and what is said when they cannot be had."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from deep_images_hub.errors import UnavailableError
from deep_images_hub.pretrained_weights import REACH_TIMEOUT_S, obtain_weights, weights_obstacle
from deep_images_hub.settings import Settings, load_settings
from tests.swift_server import SwiftServer

BODY = os.urandom(3_000_000)
DIGEST = hashlib.sha256(BODY).hexdigest()
PUBLISHED_MOBILENET = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


@pytest.fixture
def settings_of(tmp_path: Path):
    def make(weights: str, **given: object) -> Settings:
        return load_settings({"home": tmp_path / "home", "weights": weights, **given})

    return make


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache of Keras, and every address behind a proxy that does not exist."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("form", ["{path}", "file://{path}"])
def test_weights_from_a_file_are_used_where_they_lie(tmp_path: Path, settings_of, form: str) -> None:
    path = tmp_path / "vgg.weights.h5"
    path.write_bytes(BODY)

    found = obtain_weights(settings_of(form.format(path=path)), "vgg16")

    assert found.path == path
    assert found.sha256 == DIGEST
    assert found.origin == f"sha256:{DIGEST}"


def test_weights_from_a_file_that_is_not_there_are_refused_with_what_to_set(settings_of) -> None:
    settings = settings_of("/nowhere/vgg.h5")

    with pytest.raises(UnavailableError, match=r"vgg16 cannot be had \(HUB_WEIGHTS=/nowhere/vgg\.h5\).*HUB_BACKBONE"):
        obtain_weights(settings, "vgg16")
    assert "no file /nowhere/vgg.h5" in (weights_obstacle(settings, "vgg16") or "")


def test_weights_from_an_object_are_fetched_once_and_again_when_it_changed(swift: SwiftServer, settings_of) -> None:
    from deep_images_hub.object_store.open import open_store_at

    bucket_url = f"s3://{swift.new_bucket()}"
    settings = settings_of(f"{bucket_url}/nets/vgg.weights.h5", **swift.settings(bucket_url))
    store = open_store_at(bucket_url, settings)
    assert "vgg.weights.h5" in (weights_obstacle(settings, "vgg16") or "")
    store.replace("nets/vgg.weights.h5", BODY)

    assert weights_obstacle(settings, "vgg16") is None
    first = obtain_weights(settings, "vgg16")
    written = first.path.stat().st_mtime_ns
    again = obtain_weights(settings, "vgg16")
    store.replace("nets/vgg.weights.h5", BODY[:-1])
    changed = obtain_weights(settings, "vgg16")

    assert first.sha256 == DIGEST
    assert again.path == first.path
    assert again.path.stat().st_mtime_ns == written
    assert changed.path.read_bytes() == BODY[:-1]


@pytest.mark.usefixtures("offline")
def test_published_weights_offline_are_refused_within_seconds(settings_of) -> None:
    started = time.monotonic()

    said = weights_obstacle(settings_of("imagenet"), "vgg16")

    assert said is not None
    assert "neither in" in said
    assert "Set HUB_WEIGHTS" in said
    with pytest.raises(UnavailableError, match="Pretrained weights for resnet50 cannot be had"):
        obtain_weights(settings_of("imagenet"), "resnet50")
    assert time.monotonic() - started < 3 * REACH_TIMEOUT_S


@pytest.mark.usefixtures("offline")
def test_published_weights_in_the_cache_of_keras_are_used(tmp_path: Path, settings_of) -> None:
    cached = tmp_path / "keras" / "models" / PUBLISHED_MOBILENET
    cached.parent.mkdir(parents=True)
    cached.write_bytes(BODY)

    found = obtain_weights(settings_of("imagenet"), "mobilenet_v2")

    assert (found.path, found.origin) == (cached, "imagenet")
    assert weights_obstacle(settings_of("imagenet"), "mobilenet_v2") is None


def test_network_that_nobody_publishes_weights_of_is_said_to_be_one(settings_of) -> None:
    assert "nobody publishes ImageNet weights of it" in (weights_obstacle(settings_of("imagenet"), "compact_vgg") or "")
