"""Where a simulated crowd gets its photographs: from our own drawing, from a folder tree of labels, or from a bucket.

A tree's deepest folders are labels, the folders above them the labels above: `Fruit/Apple/Golden-Delicious/7.jpg` shows the
label `Fruit/Apple/Golden-Delicious`, a kind of `Fruit/Apple`. The path is the code, since two folders of one name need not
mean the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Protocol

from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.images.content_type import PICTURE_SUFFIXES
from deep_images_hub.labels.graph import LabelEdge, LabelGraph, clean_text
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import render


@dataclass(frozen=True)
class PhotoList:
    """What a source has.

    Attributes:
        identity: says which photographs these are, wherever they lie; part of every batch's key.
        photos: names of photographs by label code, both in order.
        labels: the labels and those above them; None: they are in the catalogue already.
    """

    identity: str
    photos: Mapping[str, tuple[str, ...]]
    labels: LabelGraph | None


class PhotoSource(Protocol):
    """Photographs by name. Pickles, so that Spark can hand it to executors."""

    def read(self, label_code: str, photo: str) -> bytes:
        """Return a photograph. Raises NotFoundError."""
        ...

    def copy_to(self, store: ObjectStore, key: str, photo: str) -> int | None:
        """Copy a photograph into the store without reading it; return its size, or None where only `read` will do."""
        ...


@dataclass(frozen=True)
class RenderedPhotos:
    """Photographs that are drawn when they are read."""

    seed: int

    def list(self, images: int) -> PhotoList:
        """Return as many photographs as asked for, spread evenly over the product kinds."""
        share, rest = divmod(images, len(PRODUCTS))
        photos = {
            label: tuple(str(index) for index in range(share + (position < rest))) for position, label in enumerate(PRODUCTS)
        }
        return PhotoList("rendered/1", {label: names for label, names in photos.items() if names}, labels=None)

    def read(self, label_code: str, photo: str) -> bytes:
        """Draw a photograph."""
        return render(self.seed, label_code, int(photo))

    def copy_to(self, store: ObjectStore, key: str, photo: str) -> int | None:
        """There is nothing to copy."""
        return None


@dataclass(frozen=True)
class FolderPhotos:
    """Photographs in a folder tree, which every executor must see under the same path."""

    folder: Path

    def list(self) -> PhotoList:
        """Return all photographs of the tree.

        Raises:
            NotFoundError: there is no such folder.
            InvalidInputError: it holds no photographs in folders.
        """
        if not self.folder.is_dir():
            raise NotFoundError(f"There is no folder {self.folder}. Expected a tree of folders, each named after what it shows.")
        found = ((file.relative_to(self.folder).as_posix(), file.stat().st_size) for file in self.folder.rglob("*"))
        return _listed(found, str(self.folder))

    def read(self, label_code: str, photo: str) -> bytes:
        """Return a file's bytes. Raises NotFoundError."""
        try:
            return (self.folder / photo).read_bytes()
        except OSError as error:
            raise NotFoundError(
                f"The photograph {self.folder / photo} cannot be read ({error.strerror}). Executors must see the folder too."
            ) from error

    def copy_to(self, store: ObjectStore, key: str, photo: str) -> int | None:
        """A folder's files are read."""
        return None


@dataclass(frozen=True)
class StoredPhotos:
    """Photographs in an object store, e.g. under `s3://bucket/prefix`."""

    store: ObjectStore

    def list(self) -> PhotoList:
        """Return all photographs of the store. Raises InvalidInputError when there are none in folders."""
        return _listed(((stat.key, stat.size_bytes) for stat in self.store.list()), self.store.url)

    def read(self, label_code: str, photo: str) -> bytes:
        """Return an object's bytes. Raises NotFoundError."""
        return self.store.read(photo)

    def copy_to(self, store: ObjectStore, key: str, photo: str) -> int | None:
        """Let the stores copy it between them; return its size."""
        store.copy(photo, key, source=self.store)
        return store.stat(key).size_bytes


def _listed(found: Iterable[tuple[str, int]], where: str) -> PhotoList:
    """Sort photographs of a tree into labels by the folder in which they lie. Other files, and what is hidden, are left out."""
    digest = sha256()
    photos: dict[str, list[str]] = {}
    for path, size_bytes in sorted(found):
        *folders, name = PurePosixPath(path).parts
        if (
            folders
            and PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES
            and not any(part.startswith(".") for part in (*folders, name))
        ):
            digest.update(f"{path}\n{size_bytes}\n".encode())
            photos.setdefault(clean_text("/".join(folders)), []).append(path)
    if not photos:
        raise InvalidInputError(
            f"{where} holds no photographs in folders. Expected e.g. Fruit/Apple/1.jpg, "
            "where the folder says what its photographs show."
        )
    return PhotoList(f"tree/{digest.hexdigest()}", {code: tuple(names) for code, names in photos.items()}, _graph(photos))


def _graph(codes: Iterable[str]) -> LabelGraph:
    names: dict[str, str] = {}
    edges = set()
    for code in codes:
        parts = code.split("/")
        for depth, part in enumerate(parts, start=1):
            own = "/".join(parts[:depth])
            names[own] = clean_text(part.replace("_", " ")) or part
            if depth > 1:
                edges.add(LabelEdge("/".join(parts[: depth - 1]), own))
    return LabelGraph(names, frozenset(edges))
