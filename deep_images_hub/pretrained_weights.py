"""Where a network's pretrained weights come from, and bringing them here. Knows files, objects and addresses, not networks.

The setting `weights` is `imagenet` (the file that Keras publishes: from Keras's own cache, else fetched once into `home`), a
file, or an object's URL (fetched once into `home`). `models.backbones` loads the file that is found here.
"""

import hashlib
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from deep_images_hub.errors import NotFoundError, UnavailableError
from deep_images_hub.object_store.open import open_object_at
from deep_images_hub.runtime.file_lock import locked
from deep_images_hub.settings import Settings

# Longest wait for a sign of life of the server that has Keras's files. Offline, a name may take minutes to fail by itself.
REACH_TIMEOUT_S = 4.0
# Longest silence while a file is fetched, and longest wait for another process that fetches the same one.
_READ_TIMEOUT_S = 60.0
_LOCK_TIMEOUT_S = 1800.0
_BLOCK_BYTES = 1 << 20

_KERAS_FILES = "https://storage.googleapis.com/tensorflow/keras-applications"
_WHAT_TO_SET = (
    "Set HUB_WEIGHTS to a weights file of this network (.weights.h5 or .h5, with or without its classification head), or to an "
    "object's URL (s3://bucket/key), or set HUB_BACKBONE to a network whose weights you have."
)


@dataclass(frozen=True)
class _PublishedFile:
    """ImageNet weights as keras.applications publishes them. md5 None: none is published."""

    address: str
    md5: str | None

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]


# Source: keras.applications (vgg16, mobilenet_v2, resnet, efficientnet_v2). The first file of a network is fetched:
# with the classification head, but for VGG16's, which is nine times as large with it. Any that Keras's cache has will do.
_PUBLISHED = {
    "vgg16": (
        _PublishedFile(
            f"{_KERAS_FILES}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"
        ),
        _PublishedFile(f"{_KERAS_FILES}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"),
    ),
    "mobilenet_v2": (
        _PublishedFile(f"{_KERAS_FILES}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5", None),
        _PublishedFile(f"{_KERAS_FILES}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", None),
    ),
    "resnet50": (
        _PublishedFile(
            f"{_KERAS_FILES}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5", "2cb95161c43110f7111970584f804107"
        ),
        _PublishedFile(
            f"{_KERAS_FILES}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"
        ),
    ),
    "efficientnet_v2_b0": (
        _PublishedFile(f"{_KERAS_FILES}/efficientnet_v2/efficientnetv2-b0.h5", "21ecbf6da12460d5c40bb2f29ceb2188"),
        _PublishedFile(f"{_KERAS_FILES}/efficientnet_v2/efficientnetv2-b0_notop.h5", "893217f2bb855e2983157299931e43ff"),
    ),
}


@dataclass(frozen=True)
class WeightsFile:
    """A weights file on this machine.

    Attributes:
        path: where it lies.
        sha256: of its bytes; the same weights have the same digest wherever they came from.
        origin: `imagenet`, or `sha256:<digest>`: what is written down about a model that was made with it.
    """

    path: Path
    sha256: str
    origin: str


def obtain_weights(settings: Settings, backbone: str) -> WeightsFile:
    """Return the weights file that the settings name for a backbone, fetching it when it is not here yet.

    Processes that ask at once fetch it once.

    Args:
        backbone: one of those whose weights are published, or any other name when `settings.weights` is not `imagenet`.

    Raises:
        UnavailableError: it cannot be had; the message says what was tried and what to set.
    """
    source = _source(settings, backbone)
    if obstacle := source.obstacle():
        raise UnavailableError(_message(settings, backbone, obstacle))
    try:
        path = source.fetch()
    except (NotFoundError, OSError) as error:
        raise UnavailableError(_message(settings, backbone, str(error))) from error
    sha256 = _digest(path, "sha256")
    return WeightsFile(path, sha256, settings.weights if settings.weights == "imagenet" else f"sha256:{sha256}")


def weights_obstacle(settings: Settings, backbone: str) -> str | None:
    """Say why the weights that the settings name cannot be had, or None when they can. Fetches nothing; takes seconds at most."""
    try:
        obstacle = _source(settings, backbone).obstacle()
    except (NotFoundError, UnavailableError) as error:
        return str(error)
    return None if obstacle is None else _message(settings, backbone, obstacle)


def _message(settings: Settings, backbone: str, obstacle: str) -> str:
    return f"Pretrained weights for {backbone} cannot be had (HUB_WEIGHTS={settings.weights}): {obstacle}. {_WHAT_TO_SET}"


@dataclass(frozen=True)
class _Source:
    """One way to weights.

    Attributes:
        obstacle: says why it leads nowhere, cheaply; None when it leads somewhere.
        fetch: returns the file, bringing it here first where needed. Raises NotFoundError, UnavailableError or OSError.
    """

    obstacle: Callable[[], str | None]
    fetch: Callable[[], Path]


def _source(settings: Settings, backbone: str) -> _Source:
    if settings.weights == "imagenet":
        return _published_source(settings, backbone)
    if urlsplit(settings.weights).scheme == "s3":
        return _object_source(settings)
    return _file_source(settings.weights)


def _file_source(address: str) -> _Source:
    path = Path(unquote(urlsplit(address).path) if address.startswith("file:") else address).expanduser().absolute()
    return _Source(lambda: None if path.is_file() else f"there is no file {path} on this machine", lambda: path)


def _object_source(settings: Settings) -> _Source:
    store, key = open_object_at(settings.weights, settings)

    def obstacle() -> str | None:
        try:
            store.stat(key)
        except (NotFoundError, UnavailableError) as error:
            return str(error).rstrip(".")
        return None

    def fetch() -> Path:
        # The size is part of the name, so that an object that was replaced is fetched again.
        size_bytes = store.stat(key).size_bytes
        url_digest = hashlib.sha256(settings.weights.encode()).hexdigest()[:12]
        path = settings.home / "weights" / f"{url_digest}-{size_bytes}-{key}"
        return _fetched_once(path, lambda: store.read_blocks(key), md5=None)

    return _Source(obstacle, fetch)


def _published_source(settings: Settings, backbone: str) -> _Source:
    if backbone not in _PUBLISHED:
        raise UnavailableError(_message(settings, backbone, "nobody publishes ImageNet weights of it"))
    published = _PUBLISHED[backbone][0]
    keras_home = Path(os.environ.get("KERAS_HOME", Path("~/.keras").expanduser()))
    path = settings.home / "weights" / published.name
    folders = (keras_home / "models", path.parent)
    known_files = (folder / file.name for file in _PUBLISHED[backbone] for folder in folders)
    here = next((known for known in known_files if known.is_file()), None)
    if here is not None:
        return _file_source(str(here))

    def obstacle() -> str | None:
        try:
            _within(REACH_TIMEOUT_S, lambda: _open(published.address, REACH_TIMEOUT_S, method="HEAD").close())
        except (OSError, TimeoutError) as error:
            host = urlsplit(published.address).netloc
            reason = getattr(error, "reason", None) or error
            return f"they are neither in {keras_home / 'models'} nor in {path.parent}, and {host} does not answer ({reason})"
        return None

    return _Source(obstacle, lambda: _fetched_once(path, lambda: _downloaded(published.address), published.md5))


def _fetched_once(path: Path, blocks: Callable[[], Iterator[bytes]], md5: str | None) -> Path:
    """Write blocks to a file that appears whole or not at all, unless it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f"{path.name}.lock"), timeout_s=_LOCK_TIMEOUT_S):
        if path.is_file():
            return path
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            for block in blocks():
                file.write(block)
        if md5 is not None and _digest(part, "md5") != md5:
            part.unlink()
            raise OSError(f"what was fetched has another md5 than the published {md5}; something on the way changed it")
        part.replace(path)
    return path


def _downloaded(address: str) -> Iterator[bytes]:
    with closing(_open(address, _READ_TIMEOUT_S, method="GET")) as response:
        expected_bytes = int(response.headers["Content-Length"])
        received_bytes = 0
        while block := response.read(_BLOCK_BYTES):
            received_bytes += len(block)
            yield block
    if received_bytes != expected_bytes:
        raise OSError(f"the connection ended after {received_bytes} of {expected_bytes} bytes")


def _open(address: str, timeout_s: float, method: str) -> Any:
    return urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=timeout_s)  # noqa: S310  # ours, https


def _within(timeout_s: float, call: Callable[[], None]) -> None:
    """Call, or raise TimeoutError: a socket's own timeout does not bound the search for an address."""
    failures: list[OSError] = []

    def attempt() -> None:
        try:
            call()
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {timeout_s:.0f} s")
    if failures:
        raise failures[0]


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
