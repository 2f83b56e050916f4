import io
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deep_images_hub.images import exif_block
from deep_images_hub.images.exif_block import position_of, taken_at_of, without_position

BERLIN = (52.52, 13.405)
VALPARAISO = (-33.047, -71.613)


def photograph(format_name: str, position: tuple[float, float] | None, **more: object) -> bytes:
    """Return a picture that says where and when it was taken, as Pillow writes it."""
    exif = Image.Exif()
    if position:
        latitude, longitude = position
        gps = exif.get_ifd(0x8825)
        gps.update({1: "N" if latitude > 0 else "S", 2: _parts(latitude), 3: "E" if longitude > 0 else "W", 4: _parts(longitude)})
    exif.get_ifd(0x8769).update({0x9003: "2026:05:03 23:30:00", 0x9011: "-02:00"})
    exif[0x0112] = 6
    body = io.BytesIO()
    pixels = Image.frombytes("RGB", (40, 30), random.Random(0).randbytes(3600))
    pixels.save(body, format_name, exif=exif, **more)
    return body.getvalue()


def _parts(degrees: float) -> tuple[float, float, float]:
    minutes = abs(degrees) % 1 * 60
    return (float(int(abs(degrees))), float(int(minutes)), minutes % 1 * 60)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("position", [BERLIN, VALPARAISO])
def test_position_is_read_and_then_gone_and_all_else_stays(format_name: str, position: tuple[float, float]) -> None:
    body = photograph(format_name, position)
    assert position_of(body) == pytest.approx(position, abs=1e-4)
    assert taken_at_of(body) == datetime(2026, 5, 4, 1, 30, tzinfo=UTC)

    blanked = without_position(body)

    assert (position_of(blanked), len(blanked)) == (None, len(body))
    assert taken_at_of(blanked) == taken_at_of(body)
    assert without_position(blanked) == blanked
    with Image.open(io.BytesIO(body)) as before, Image.open(io.BytesIO(blanked)) as after:
        assert before.tobytes() == after.tobytes()
        assert not any(after.getexif().get_ifd(0x8825).values())
        assert after.getexif()[0x0112] == 6


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_photograph_without_position_stays_as_it_is_to_the_byte(format_name: str) -> None:
    body = photograph(format_name, None)
    assert position_of(body) is None
    assert without_position(body) is body


def test_position_in_xmp_is_blanked() -> None:
    xmp = b'<x:xmpmeta><rdf exif:GPSLatitude="52,31.2N"><exif:GPSLongitude>13,24.3E</exif:GPSLongitude></rdf></x:xmpmeta>'
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    for body in (photograph("JPEG", None, xmp=xmp), photograph("PNG", None, pnginfo=text)):
        blanked = without_position(body)
        assert b"52,31.2N" not in blanked
        assert b"13,24.3E" not in blanked
        with Image.open(io.BytesIO(blanked)) as opened:
            opened.load()


def test_position_of_a_film_behind_a_photograph_is_blanked() -> None:
    film = b"\0\0\0\x18ftypmp42 \0\0\0\x1e\xa9xyz\0\x12\x15\xc7+52.5200+013.4050/"
    body = photograph("JPEG", None) + film
    blanked = without_position(body)
    assert (len(blanked), b"52.52" in blanked, b"13.40" in blanked) == (len(body), False, False)
    assert blanked.startswith(photograph("JPEG", None))


def test_camera_that_did_not_find_out_has_no_position() -> None:
    assert position_of(photograph("JPEG", (0.0, 0.0))) is None


def test_time_without_offset_or_that_is_none_is_not_kept() -> None:
    body = photograph("JPEG", BERLIN)
    assert taken_at_of(body.replace(b"-02:00", b"\0\0\0\0\0\0")) is None
    assert taken_at_of(body.replace(b"2026:05:03", b"2026:99:99")) is None
    assert taken_at_of(body.replace(b"2026:05:03 23", b"0001:01:01 00").replace(b"-02:00", b"+23:00")) is None


@given(st.data())
def test_broken_metadata_raise_nothing_and_change_no_length(data: st.DataObject) -> None:
    broken = bytearray(photograph("JPEG", BERLIN))
    start = broken.index(b"Exif\0\0") + 6
    for _ in range(data.draw(st.integers(1, 8))):
        broken[start + data.draw(st.integers(0, 250))] = data.draw(st.integers(0, 255))
    body = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    assert len(without_position(body)) == len(body)
    position_of(body)
    taken_at_of(body)


def test_blocks_without_end_are_not_read_to_their_end() -> None:
    body = (b"Exif\0\0II*\0" + b"eXIfMM\0*" + bytes(8)) * 1_000
    assert len(list(exif_block._blocks(body))) == 2 * exif_block._MAX_STARTS
    assert without_position(body) is body
