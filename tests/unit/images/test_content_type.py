import random

import pytest
from PIL import Image

from deep_images_hub.images.content_type import ContentType, content_type
from deep_images_hub.images.decode import Refusal, decode
from tests.unit.images.photographs import MAX_PIXELS, encoded, scene

WRITTEN = {
    "pbm": encoded(scene().convert("1"), "PPM"),
    "pgm": encoded(scene().convert("L"), "PPM"),
    "ppm": encoded(scene(), "PPM"),
    "pfm": encoded(scene().convert("F"), "PPM"),
    "tga": encoded(scene(), "TGA"),
    "tga, compressed": encoded(scene(), "TGA", compression="tga_rle"),
    "tga of one colour, compressed": encoded(Image.new("L", (640, 480)), "TGA", compression="tga_rle"),
    "tga with a palette": encoded(scene().quantize(16), "TGA"),
    "tga in grey": encoded(scene().convert("L"), "TGA"),
    "pcx": encoded(scene(), "PCX"),
    "sgi": encoded(scene(), "SGI"),
    "dds": encoded(scene(), "DDS"),
    "icns": encoded(scene((64, 64)), "ICNS"),
    "jpeg2000": encoded(scene(), "JPEG2000"),
    "jpeg2000, bare": encoded(scene(), "JPEG2000", no_jp2=True),
    "gif": encoded(scene(), "GIF"),
    "bmp": encoded(scene(), "BMP"),
    "tiff": encoded(scene(), "TIFF"),
    "avif": encoded(scene(), "AVIF"),
}
# An older one ends behind its pixels.
WRITTEN["tga of version 1"] = WRITTEN["tga"][: 18 + 96 * 80 * 3]
BEGINNINGS = {
    "pam": b"P7\nWIDTH 4\n",
    "ppm": b"P3\n# a comment\n#another\n4 4\n255\n",
    "qoi": b"qoif\x00\x00",
    "exr": b"v/1\x01\x02",
    "hdr": b"#?RADIANCE\n",
    "xcf": b"gimp xcf v011",
    "cr3": b"\x00\x00\x00\x18ftypcrx ",
    "dicom": bytes(128) + b"DICM",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_picture_of_a_format_that_is_not_taken_is_refused_by_its_name(name: str) -> None:
    format_name = name.partition(",")[0].partition(" ")[0]
    assert content_type(WRITTEN[name]) == ContentType(format_name, is_image=True)
    found = decode(WRITTEN[name], max_pixels=MAX_PIXELS, short_side_px=80)
    assert isinstance(found, Refusal)
    assert found.reason == "unsupported_format"
    assert format_name.upper() in found.detail


@pytest.mark.parametrize("name", BEGINNINGS)
def test_beginning_of_a_format_that_is_not_taken_is_known(name: str) -> None:
    assert content_type(BEGINNINGS[name] + bytes(100)) == ContentType(name, is_image=True)


@pytest.mark.parametrize(
    "body",
    [
        b"P1 is the first of our products",
        b"P3\n",
        b"PF was here",
        b"P7\n\n",
        bytes(5000),
        b"\x00\x00\x02" + bytes(50),
        b"qoi",
        b"DD",
    ],
)
def test_what_only_resembles_a_picture_is_none(body: bytes) -> None:
    assert not content_type(body).is_image


def test_chance_is_hardly_ever_taken_for_a_picture() -> None:
    rng = random.Random(0)
    assert sum(content_type(rng.randbytes(rng.randrange(1, 400))).is_image for _ in range(20_000)) <= 4
