"""The streamed zip: readable, the same every time, and as long as announced."""

import io
import itertools
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.datasets.exports import streamed_zip
from deep_images_hub.datasets.exports.streamed_zip import Member, zip_blocks, zip_size_bytes

paths = st.text(st.characters(codec="utf-8", exclude_characters="\x00/\\", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.dictionaries(paths, st.binary(max_size=200), max_size=8), st.booleans())
def test_zip_reads_back_and_has_the_announced_length(bodies: dict[str, bytes], is_crc32_known: bool) -> None:
    members = [
        Member(path, len(body), [body[:7], body[7:]], zlib.crc32(body) if is_crc32_known else None)
        for path, body in bodies.items()
    ]
    made = b"".join(zip_blocks(members))
    assert len(made) == zip_size_bytes((member.path, len(bodies[member.path])) for member in members)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == bodies


class _Pipe(io.RawIOBase):
    """What zipfile writes into without knowing where it is."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, block) -> int:
        self.written += block
        return len(block)


def _by_zipfile(members: list[Member]) -> bytes:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            entry = zipfile.ZipInfo(member.path, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = (0o40755 << 16 | 0x10) if entry.is_dir() else 0o100644 << 16
            with archive.open(entry, "w") as target:
                target.writelines(member.blocks)
    return bytes(pipe.written)


@pytest.mark.parametrize("limit", [2**31 - 1, 400])
def test_zip_has_the_bytes_that_zipfile_would_write_large_or_small(limit, monkeypatch) -> None:
    # A zip of gigabytes is one whose limits are low.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    monkeypatch.setattr(streamed_zip, "_ZIP64_FROM_BYTES", limit)
    members = [Member(f"train/\u00e4/{number}.jpg", 50, [b"ab" * 20, b"c" * 10]) for number in range(20)]
    members += [Member("plain/", 0, []), Member("plain/a.csv", None, [b"1,2"])]
    assert b"".join(zip_blocks(members)) == _by_zipfile(members)


def test_zip_of_more_members_than_16_bits_count_reads_back() -> None:
    made = io.BytesIO(b"".join(zip_blocks(Member(str(number), 0, []) for number in range(65_540))))
    with zipfile.ZipFile(made) as archive:
        assert len(archive.infolist()) == 65_540


def test_zip_keeps_nothing_of_its_members_in_memory() -> None:
    blocks = zip_blocks(Member(f"train/a-label/{number:064d}.jpg", 0, []) for number in itertools.count())
    for _ in itertools.islice(blocks, 20_000):
        pass
    tracemalloc.start()
    for _ in itertools.islice(blocks, 20_000):
        pass
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    blocks.close()
    assert kept_bytes < 100_000


def test_zip_member_of_unknown_size_is_streamed() -> None:
    made = b"".join(zip_blocks([Member("a.csv", None, iter([b"12", b"345"])), Member("folder/", 0, [])]))
    assert len(made) == zip_size_bytes([("a.csv", 5), ("folder/", 0)])


def test_zip_member_of_another_size_than_announced_stops_the_zip() -> None:
    with pytest.raises(RuntimeError, match=r"a\.jpg has 3 bytes, not the 4"):
        list(zip_blocks([Member("a.jpg", 4, [b"123"])]))


def test_zip_length_is_unknown_beyond_two_gigabytes_or_65535_members() -> None:
    assert zip_size_bytes([("a", 2**31)]) is None
    assert zip_size_bytes([("a", 0)] * 65_535) is None
    assert zip_size_bytes([("a", 0)] * 65_534) is not None
