"""Stored pictures as networks see them, read by several threads ahead of who computes."""

import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.errors import UnavailableError
from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.network_input import network_input, stored_network_input
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
    body = store.read(key)
    plain = stored_network_input(body, side_px)
    if plain is not None:
        return plain
    photograph = decode(body, max_pixels=settings.max_pixels, short_side_px=settings.image_side_px)
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


class StoredPictures:
    """Stored pictures by position, several read at once."""

    def __init__(self, read: Callable[[str], NDArray[np.uint8]], keys: Sequence[str]) -> None:
        self._read = read
        self._keys = keys
        self._pool = ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="reading")

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the pictures at some positions, (n, side_px, side_px, 3). Raises what `read_picture` does."""
        return np.stack(list(self._pool.map(self._read, [self._keys[at] for at in positions])))


class LocalRows:
    """Rows of numbers by position, computed when they are first asked for, then kept in a file of this machine.

    Training asks for every row once an epoch in a new order; memory holds what the system sees fit to cache of the file, however
    many rows there are. What nobody asks for takes no room. The file has no name: it is gone with the process, however that ends.
    """

    def __init__(self, compute: Callable[[NDArray[np.int64]], NDArray[np.generic]], count: int) -> None:
        """Take what computes the rows at some positions, all of one shape and dtype, and how many rows there may be."""
        self._compute = compute
        self._is_here = np.zeros(count, bool)
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open for as long as the rows are needed
        weakref.finalize(self, self._file.close)
        self._rows: NDArray[np.generic] | None = None

    def rows(self, positions: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return the rows at some positions.

        Raises what computing them does, and UnavailableError when there is no room for them.
        """
        missing = np.unique(positions[~self._is_here[positions]])
        if len(missing):
            computed = np.ascontiguousarray(self._compute(missing))
            try:
                self._keep(missing, computed)
            except OSError as error:
                raise UnavailableError(
                    f"What training keeps of pictures finds no room in {tempfile.gettempdir()}: {error.strerror}. "
                    f"{len(self._is_here):,} pictures need up to {computed[0].nbytes * len(self._is_here):,} bytes there. "
                    "Make room, or let TMPDIR name a larger folder on the machines that train."
                ) from error
        assert self._rows is not None, "no positions were asked for"
        return np.asarray(self._rows[positions])

    def _keep(self, positions: NDArray[np.int64], computed: NDArray[np.generic]) -> None:
        # Written to the file, not by way of its mapping: on a full disk that would kill the process without a word.
        row_bytes = computed[0].nbytes
        if self._rows is None:
            self._file.truncate(len(self._is_here) * row_bytes)
            self._rows = np.memmap(self._file, computed.dtype, "r", shape=(len(self._is_here), *computed.shape[1:]))
        for at, row in zip(positions.tolist(), computed, strict=True):
            self._file.seek(at * row_bytes)
            left = memoryview(row.tobytes())
            while left:
                left = left[self._file.write(left) :]
        self._is_here[positions] = True
