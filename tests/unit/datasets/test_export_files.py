"""Files that are made while they are sent: how far they read ahead, and what they do about pictures that are not as announced."""

import csv
import io
import threading
import time
from collections.abc import Iterator

import pytest

from deep_images_hub.datasets.exports.export import VersionPicture
from deep_images_hub.datasets.exports.files import Chunk, ChunkedFile
from deep_images_hub.datasets.exports.lists import csv_blocks
from deep_images_hub.errors import UnavailableError

COUNT = 2_000


class CountingStore:
    """Gives every picture as 100 bytes of its position, and counts how many were read."""

    def __init__(self, size_bytes: int = 100, requests_at_once: int = 8) -> None:
        self.size_bytes = size_bytes
        self.requests_at_once = requests_at_once
        self.reads = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> bytes:
        with self._lock:
            self.reads += 1
        return bytes([int(key) % 251 + 1]) * self.size_bytes


def picture(position: int) -> VersionPicture:
    return VersionPicture(
        position, f"{position:064x}", "/m/a", "train", "b", str(position), 100, 4, 3, "cc0", None, None, None, None, None, None
    )


def file_of(store: CountingStore, pictures_in_chunk: int, count: int = COUNT) -> ChunkedFile:
    def chunks() -> Iterator[Chunk]:
        yield Chunk((), lambda _: b"head")
        for first in range(0, count, pictures_in_chunk):
            of = [picture(position) for position in range(first, min(count, first + pictures_in_chunk))]
            yield Chunk(of, b"".join)

    return ChunkedFile("x", "text/plain", count, chunks, store)


@pytest.mark.parametrize(("pictures_in_chunk", "requests_at_once"), [(1, 8), (7, 8), (100, 8), (7, 1)])
def test_pictures_come_in_order_whatever_the_chunks(pictures_in_chunk: int, requests_at_once: int) -> None:
    file = file_of(CountingStore(requests_at_once=requests_at_once), pictures_in_chunk)
    whole = b"head" + b"".join(bytes([position % 251 + 1]) * 100 for position in range(COUNT))
    assert b"".join(file.blocks()) == whole
    assert b"".join(file.blocks(123_456)) == whole[123_456:]
    assert file.size_bytes() == len(whole)


@pytest.mark.parametrize("pictures_in_chunk", [1, 100])
def test_file_reads_ahead_no_further_than_a_little_and_stops_when_nobody_takes_it(pictures_in_chunk: int) -> None:
    store = CountingStore()
    blocks = file_of(store, pictures_in_chunk).blocks()
    for _ in range(3):
        next(blocks)
    blocks.close()
    # Reads that had begun end; none is begun.
    deadline, reads = time.monotonic() + 10, -1
    while reads != store.reads and time.monotonic() < deadline:
        reads = store.reads
        time.sleep(0.05)
    assert store.reads <= 4 * pictures_in_chunk + 64


def test_length_of_a_file_is_found_out_without_the_store() -> None:
    store = CountingStore()
    assert file_of(store, 10).size_bytes() == 4 + 100 * COUNT
    assert store.reads == 0


def test_picture_of_another_length_than_announced_stops_the_file() -> None:
    with pytest.raises(UnavailableError, match="has 99 bytes in the store and 100 in the catalogue"):
        list(file_of(CountingStore(size_bytes=99), 1, count=3).blocks())


def test_csv_keeps_a_row_whose_text_holds_a_carriage_return() -> None:
    rows = [("Ada\rBo", 1), ("Cy\r\nDi", 2), ('"', None)]
    text = b"".join(csv_blocks(("a", "b"), rows)).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["a", "b"], ["Ada\nBo", "1"], ["Cy\r\nDi", "2"], ['"', ""]]
