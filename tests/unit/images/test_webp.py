"""Damage inside WebPs, which have no checksum; tests/integration/intake/test_real_photographs.py repeats it on real ones."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deep_images_hub.images.decode import Photograph, Refusal, decode
from deep_images_hub.images.webp import is_read_to_its_end
from tests.unit.images.photographs import MAX_PIXELS, encoded, scene

NOISE = np.random.default_rng(0).integers(0, 256, (280, 300, 3), np.uint8)
DETAILED = Image.fromarray(NOISE).filter(ImageFilter.GaussianBlur(2))


def found_in(body: bytes) -> Photograph | Refusal:
    return decode(body, max_pixels=MAX_PIXELS, short_side_px=80)


def with_transparency(image: Image.Image) -> Image.Image:
    picture = image.convert("RGBA")
    picture.putalpha(image.convert("L").filter(ImageFilter.GaussianBlur(3)))
    return picture


SOUND = {
    "of one pixel": Image.new("RGB", (1, 1), "red"),
    "of a few pixels": scene((17, 15)),
    "one even surface": Image.new("RGB", (700, 500), "white"),
    "something on a white ground": Image.new("RGB", (700, 500), "white"),
    "detailed": DETAILED,
    "transparent": with_transparency(DETAILED),
    "invisible": Image.new("RGBA", (64, 64), (0, 0, 0, 0)),
}
SOUND["something on a white ground"].paste(scene(), (300, 200))


@pytest.mark.parametrize("method", [0, 4, 6])
@pytest.mark.parametrize("options", [{"quality": 0}, {"quality": 80}, {"quality": 100}, {"lossless": True}], ids=str)
@pytest.mark.parametrize("name", SOUND)
def test_sound_webp_is_read_to_its_end(name: str, options: dict[str, int], method: int) -> None:
    body = encoded(SOUND[name], "WEBP", method=method, **options)
    assert is_read_to_its_end(body)
    assert isinstance(found_in(body), Photograph)


def test_webp_with_a_profile_and_what_programs_write_behind_its_pixels_is_taken() -> None:
    body = encoded(DETAILED, "WEBP", icc_profile=bytes(301), exif=Image.Exif().tobytes() + bytes(51), xmp=b"<x/>")
    assert isinstance(found_in(body + b"more"), Photograph)


def altered(body: bytes, at: int, by: bytes) -> bytes:
    return body[:at] + by + body[at + len(by) :]


DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "zeros": lambda body, at: altered(body, at, bytes(64)),
    "other bytes": lambda body, at: altered(body, at, random.Random(at).randbytes(64)),
    "one byte lost": lambda body, at: body[:at] + body[at + 1 :] + b"\x00",
    "bytes lost, and filled up": lambda body, at: body[:at] + body[at + 512 :] + bytes(512),
    "one bit": lambda body, at: altered(body, at, bytes([body[at] ^ 0x10])),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("quality", [30, 80])
def test_webp_whose_picture_is_damaged_is_refused_but_for_one_in_thirty(damage: str, quality: int) -> None:
    body = encoded(DETAILED, "WEBP", quality=quality)
    found = [found_in(DAMAGES[damage](body, at)) for at in range(100, len(body) - 600, len(body) // 30)]
    refused = [one for one in found if isinstance(one, Refusal)]
    # By chance a decoder that fell out of step ends within a few bytes of the end.
    assert len(refused) >= len(found) - 1
    assert {one.reason for one in refused} == {"corrupt"}


def test_webp_whose_transparency_is_damaged_is_refused() -> None:
    body = encoded(with_transparency(DETAILED), "WEBP", quality=20)
    begin = body.index(b"ALPH") + 8
    size_bytes = int.from_bytes(body[begin - 4 : begin], "little")
    for at in range(begin + 200, begin + size_bytes - 600, size_bytes // 20):
        found = found_in(DAMAGES["zeros"](body, at))
        assert isinstance(found, Refusal), at


def test_webp_whose_pixels_are_more_than_it_announces_is_refused_by_its_own_decoder() -> None:
    small, large = encoded(scene(), "WEBP", exif=Image.Exif().tobytes()), encoded(DETAILED, "WEBP")
    assert b"VP8X" in small
    lying = small[:30] + large[12:]
    body = b"RIFF" + (len(lying) - 8).to_bytes(4, "little") + lying[8:]
    assert is_read_to_its_end(body)
    assert isinstance(found_in(body), Refusal)


def test_webp_of_millions_of_chunks_takes_no_time() -> None:
    content = b"WEBP" + b"JUNK\x00\x00\x00\x00" * 3_000_000
    assert is_read_to_its_end(b"RIFF" + len(content).to_bytes(4, "little") + content)
