"""The streamed zip: readable, the same every time, and as long as announced."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.datasets.exports.streamed_zip import Member, zip_blocks, zip_size_bytes

paths = st.text(st.characters(codec="utf-8", exclude_characters="\x00/\\", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.dictionaries(paths, st.binary(max_size=200), max_size=8))
def test_zip_reads_back_and_has_the_announced_length(bodies: dict[str, bytes]) -> None:
    members = [Member(path, len(body), [body[:7], body[7:]]) for path, body in bodies.items()]
    made = b"".join(zip_blocks(members))
    assert len(made) == zip_size_bytes((member.path, len(bodies[member.path])) for member in members)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == bodies


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
