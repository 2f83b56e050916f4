"""The files of an export: made while they are sent, the same bytes every time, and taken up again anywhere.

A format describes a file as chunks: some pictures, and how they become bytes once they are read. That is enough for the rest.
The pictures of the next chunks are read while one is sent. The length of the file is known beforehand: the same chunks are made
of blank pictures of the right sizes, which asks the store for nothing. And who comes back for the rest of a file gets it without
anything being read again that was sent before.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from deep_images_hub.datasets.exports.export import VersionPicture
from deep_images_hub.errors import UnavailableError
from deep_images_hub.object_store import ObjectStore

# Pictures that a thread reads in one go: handing them over one by one costs as much as reading them.
_READ_AT_ONCE = 8
# Up to here a length is found out before the first byte; beyond, that would delay it by more than a second.
LENGTH_KNOWN_UP_TO_IMAGES = 20_000


class BlankPicture(bytes):
    """Zeros in place of a picture whose length alone counts."""

    __slots__ = ()


@dataclass(frozen=True)
class Chunk:
    """A stretch of a file.

    Attributes:
        pictures: that it is made of; may be none.
        encode: makes its bytes of the stored pictures, which come in the same order. It is called once, after those of all chunks
            before it; blank pictures must give as many bytes as real ones of the same sizes.
    """

    pictures: Sequence[VersionPicture]
    encode: Callable[[Sequence[bytes]], bytes]


class ExportFile(Protocol):
    """A file of an export."""

    @property
    def name(self) -> str:
        """What it is called; no other file of its export is."""
        ...

    @property
    def media_type(self) -> str:
        """What it holds, as HTTP says it."""
        ...

    @property
    def image_count(self) -> int:
        """How many pictures it is about."""
        ...

    def size_bytes(self) -> int | None:
        """Return its exact length, or None where finding it out would delay the first byte."""
        ...

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield its bytes from one of them on. Raises NotFoundError or UnavailableError, in the middle, when the store fails."""
        ...


@dataclass(frozen=True)
class ChunkedFile:
    """A file that is made of chunks.

    Attributes:
        chunks: gives them anew each time it is called; the same every time.
        store: where the pictures lie.
        is_seekable: whether what a chunk becomes does not depend on what was in the pictures of chunks before it, so that those
            need not be read for its sake.
    """

    name: str
    media_type: str
    image_count: int
    chunks: Callable[[], Iterable[Chunk]]
    store: ObjectStore
    is_seekable: bool = True

    def size_bytes(self) -> int | None:
        """Return its exact length, or None where finding it out would delay the first byte."""
        if self.image_count > LENGTH_KNOWN_UP_TO_IMAGES:
            return None
        return sum(_blank_sizes(self.chunks()))

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield its bytes from one of them on."""
        blank_chunks, skipped = _chunks_before(self.chunks(), start) if start and self.is_seekable else (0, 0)
        return from_byte(self._encoded(blank_chunks), start - skipped)

    def _encoded(self, blank_chunks: int) -> Iterator[bytes]:
        """Yield what each chunk becomes, but for the first ones, which go by with blank pictures."""
        chunks = iter(self.chunks())
        for _ in range(blank_chunks):
            chunk = next(chunks)
            # A writer that keeps count of where it is must go over them too.
            chunk.encode(_blank(chunk))
        for chunk, bodies in read_ahead(chunks, self.store):
            yield chunk.encode(bodies)


def read_ahead(chunks: Iterable[Chunk], store: ObjectStore) -> Iterator[tuple[Chunk, list[bytes]]]:
    """Yield chunks with their pictures' bytes, while those of the next ones are on their way.

    Where a store answers faster than a thread is woken, each is read when its turn comes.
    """
    if store.requests_at_once == 1:
        for chunk in chunks:
            yield chunk, _read(store, chunk.pictures)
        return
    most = store.requests_at_once * _READ_AT_ONCE
    waiting: deque[Chunk] = deque()
    pool = ThreadPoolExecutor(store.requests_at_once)
    reads = _Reads(store, pool)
    try:
        for chunk in chunks:
            waiting.append(chunk)
            reads.ask(chunk.pictures)
            # A megabyte or two are on their way, or the chunk that comes next, however large it is. What needs no picture waits
            # for none.
            while waiting and (not waiting[0].pictures or (len(waiting) > 1 and max(reads.under_way, len(waiting)) >= most)):
                done = waiting.popleft()
                yield done, reads.take(len(done.pictures))
        for done in waiting:
            yield done, reads.take(len(done.pictures))
    finally:
        # The client went away, or the store failed: do not read for nobody.
        pool.shutdown(wait=False, cancel_futures=True)


class _Reads:
    """Pictures that threads read, some at once, and that are taken in the order in which they were asked for."""

    def __init__(self, store: ObjectStore, pool: ThreadPoolExecutor) -> None:
        self._store, self._pool = store, pool
        self._asked: list[VersionPicture] = []
        self._futures: deque[Future[list[bytes]]] = deque()
        self._done: deque[bytes] = deque()
        self._at_once = 1
        self.under_way = 0

    def ask(self, pictures: Sequence[VersionPicture]) -> None:
        for picture in pictures:
            self._asked.append(picture)
            self.under_way += 1
            if len(self._asked) >= self._at_once:
                self._submit()

    def take(self, count: int) -> list[bytes]:
        self.under_way -= count
        while len(self._done) < count:
            if not self._futures:
                self._submit()
            self._done.extend(self._futures.popleft().result())
        return [self._done.popleft() for _ in range(count)]

    def _submit(self) -> None:
        self._futures.append(self._pool.submit(_read, self._store, self._asked))
        self._asked = []
        # The first are asked for one by one, so that the first byte waits for one alone.
        self._at_once = min(self._at_once + 1, _READ_AT_ONCE)


def _read(store: ObjectStore, pictures: Sequence[VersionPicture]) -> list[bytes]:
    return [_whole_picture(store, picture) for picture in pictures]


def _whole_picture(store: ObjectStore, picture: VersionPicture) -> bytes:
    """Return a stored picture. Raises UnavailableError when it has another length than the catalogue says."""
    body = store.read(picture.picture_key)
    if len(body) != picture.picture_size_bytes:
        raise UnavailableError(
            f"The picture {picture.picture_key!r} has {len(body)} bytes in the store and {picture.picture_size_bytes} in the "
            "catalogue. Restore it from a backup."
        )
    return body


def sha256_of(picture: VersionPicture, body: bytes) -> str:
    """Return the sha256 of a stored picture as it was taken in: whoever downloads it sees whether it was altered since.

    Where nobody kept that, it is found out from the bytes; a blank picture has as many zeros, at once.
    """
    if picture.picture_sha256 is not None:
        return picture.picture_sha256
    return "0" * 64 if isinstance(body, BlankPicture) else hashlib.sha256(body).hexdigest()


def from_byte(blocks: Iterator[bytes], start: int) -> Iterator[bytes]:
    """Yield what blocks hold from one of their bytes on."""
    if not start:
        yield from blocks
    for block in blocks:
        if start < len(block):
            yield block[start:] if start else block
        start = max(0, start - len(block))


def _blank(chunk: Chunk) -> list[BlankPicture]:
    return [BlankPicture(picture.picture_size_bytes) for picture in chunk.pictures]


def _blank_sizes(chunks: Iterable[Chunk]) -> Iterator[int]:
    for chunk in chunks:
        yield len(chunk.encode(_blank(chunk)))


def _chunks_before(chunks: Iterable[Chunk], start: int) -> tuple[int, int]:
    """Return how many chunks end at or before a byte, and how many bytes they have together."""
    count = end = 0
    for size_bytes in _blank_sizes(chunks):
        if end + size_bytes > start:
            break
        count, end = count + 1, end + size_bytes
    return count, end
