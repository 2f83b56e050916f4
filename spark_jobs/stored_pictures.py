"""Stored pictures as networks see them, read by several threads ahead of who computes."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.errors import UnavailableError
from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.network_input import network_input
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.settings import Settings

# A store answers in milliseconds in which a network could compute: some reads are always under way.
_READ_THREADS = 4

Chunk = TypeVar("Chunk", bound=Sequence[object])


def read_picture(store: ObjectStore, settings: Settings, side_px: int, key: str) -> NDArray[np.uint8]:
    """Return a stored picture as (side_px, side_px, 3) uint8, RGB.

    Raises:
        NotFoundError: it is not in the store.
        UnavailableError: the store fails, or what it gives is no picture any more.
    """
    photograph = decode(store.read(key), max_pixels=settings.max_pixels, short_side_px=settings.image_side_px)
    if isinstance(photograph, Refusal):
        raise UnavailableError(f"The stored picture {key} is damaged: {photograph.detail} Restore the object from a backup.")
    return network_input(photograph.picture, side_px)


def read_ahead(
    read: Callable[[str], NDArray[np.uint8]], chunks: Iterator[Chunk], keys_of: Callable[[Chunk], Sequence[str]]
) -> Iterator[tuple[Chunk, NDArray[np.uint8]]]:
    """Yield each chunk with its pictures (n, side, side, 3), while those of the next one are being read.

    Raises what `read` raises.
    """
    with ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="reading") as pool:
        waiting = None
        for chunk in chunks:
            coming = chunk, [pool.submit(read, key) for key in keys_of(chunk)]
            if waiting is not None:
                yield waiting[0], np.stack([picture.result() for picture in waiting[1]])
            waiting = coming
        if waiting is not None:
            yield waiting[0], np.stack([picture.result() for picture in waiting[1]])


class LocalPictures:
    """Stored pictures by position, read when they are first asked for, then kept in a file of this machine.

    Training asks for every picture once an epoch in a new order; memory holds what the system sees fit to cache of the file,
    however many pictures there are.
    """

    def __init__(self, read: Callable[[str], NDArray[np.uint8]], keys: Sequence[str], side_px: int) -> None:
        self._read = read
        self._keys = keys
        with tempfile.TemporaryFile() as file:  # the mapping keeps it, without a name, for as long as it is needed
            self._pictures = np.memmap(file, np.uint8, "w+", shape=(len(keys), side_px, side_px, 3))
        self._is_here = np.zeros(len(keys), bool)
        self._pool = ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="reading")

    def rows(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the pictures at some positions, (n, side_px, side_px, 3). Raises what `read_picture` does."""
        missing = np.unique(positions[~self._is_here[positions]])
        for position, picture in zip(missing, self._pool.map(self._read, [self._keys[at] for at in missing]), strict=True):
            self._pictures[position] = picture
            self._is_here[position] = True
        return np.asarray(self._pictures[positions])
