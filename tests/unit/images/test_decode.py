import io
import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deep_images_hub.images.decode import Photograph, Refusal, decode
from deep_images_hub.images.jpeg import decode_jpeg
from tests.unit.images.photographs import (
    MAX_PIXELS,
    encoded,
    exif,
    icc_profile,
    jpeg_bomb,
    png_bomb,
    scene,
    several_frames,
    webp_bomb,
)


def photograph_of(body: bytes, short_side_px: int = 80) -> Photograph:
    found = decode(body, max_pixels=MAX_PIXELS, short_side_px=short_side_px)
    assert isinstance(found, Photograph), found
    assert found.picture.mode == "RGB"
    return found


def reason_of(body: bytes) -> str:
    found = decode(body, max_pixels=MAX_PIXELS, short_side_px=80)
    assert isinstance(found, Refusal), found
    assert found.detail.endswith(".")
    return found.reason


def corner_colours(image: Image.Image) -> tuple[str, str]:
    """Name the strongest colour of the top left and the bottom right corner."""
    top_left, bottom_right = image.getpixel((8, 8)), image.getpixel((image.width - 9, image.height - 9))
    return tuple("RGB"[int(np.argmax(pixel))] for pixel in (top_left, bottom_right))  # type: ignore[return-value]


FORMS = {
    "jpeg": (encoded(scene(), quality=95), "jpeg"),
    "progressive jpeg": (encoded(scene(), quality=95, progressive=True), "jpeg"),
    "cmyk jpeg": (encoded(scene().convert("CMYK"), quality=95), "jpeg"),
    "jpeg with a colour profile": (encoded(scene(), quality=95, icc_profile=icc_profile()), "jpeg"),
    "jpeg with a broken colour profile": (encoded(scene(), quality=95, icc_profile=b"no profile" * 20), "jpeg"),
    "jpeg of a camera with previews": (several_frames("MPO"), "jpeg"),
    "png": (encoded(scene(), "PNG"), "png"),
    "png with alpha": (encoded(scene().convert("RGBA"), "PNG"), "png"),
    "png with a palette": (encoded(scene().quantize(32), "PNG"), "png"),
    "png with a transparent palette": (encoded(scene().quantize(32), "PNG", transparency=bytes([255] * 32)), "png"),
    "webp": (encoded(scene(), "WEBP", quality=95), "webp"),
    "webp without loss": (encoded(scene(), "WEBP", lossless=True), "webp"),
    "webp with alpha": (encoded(scene().convert("RGBA"), "WEBP", lossless=True), "webp"),
}


@pytest.mark.parametrize(("body", "file_format"), FORMS.values(), ids=FORMS.keys())
def test_photograph_of_any_form_becomes_rgb_with_its_colours(body: bytes, file_format: str) -> None:
    found = photograph_of(body)
    assert (found.format, found.width_px, found.height_px, found.picture.size) == (file_format, 96, 80, (96, 80))
    assert corner_colours(found.picture) == ("R", "B")


@pytest.mark.parametrize("image", [scene().convert("L"), scene().convert("LA"), scene().convert("1")], ids=["L", "LA", "1"])
def test_grey_photograph_becomes_rgb(image: Image.Image) -> None:
    pixels = np.asarray(photograph_of(encoded(image, "PNG")).picture)
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    assert pixels.std() > 20


def test_sixteen_bit_photograph_keeps_its_brightness() -> None:
    grey = np.asarray(scene().convert("L"))
    found = photograph_of(encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"))
    assert np.array_equal(np.asarray(found.picture)[..., 0], grey)


def test_transparent_parts_become_white() -> None:
    clear = Image.new("RGBA", (90, 90), (0, 0, 0, 0))
    clear.paste(scene((30, 30)), (30, 30))
    picture = photograph_of(encoded(clear, "PNG")).picture
    assert picture.getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_in_exif_is_applied(orientation: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    upright = scene()
    # What a camera held that way writes: the inverse of what a viewer has to do.
    sideways = upright.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else upright
    found = photograph_of(encoded(sideways, quality=95, subsampling=0, exif=exif(orientation)))
    assert (found.width_px, found.height_px) == (96, 80)
    assert np.abs(np.asarray(found.picture, int) - np.asarray(upright, int)).mean() < 12


def test_picture_carries_nothing_along_that_its_sender_wrote() -> None:
    body = encoded(scene(), exif=exif(1), comment=b"private comment", icc_profile=icc_profile())
    copy = io.BytesIO()
    photograph_of(body).picture.save(copy, "JPEG")
    assert b"private" not in copy.getvalue()


def test_large_photograph_is_shrunk_to_the_side_that_is_asked_for() -> None:
    found = photograph_of(encoded(scene((900, 700))), short_side_px=100)
    assert found.picture.size == (129, 100)
    assert (found.width_px, found.height_px) == (900, 700)


def test_small_photograph_is_not_enlarged() -> None:
    assert photograph_of(encoded(scene((40, 30))), short_side_px=100).picture.size == (40, 30)


@pytest.mark.parametrize("name", ["jpeg", "progressive jpeg", "png", "webp", "webp without loss"])
def test_photograph_that_was_cut_off_anywhere_is_truncated(name: str) -> None:
    body = FORMS[name][0]
    header = 700 if "jpeg" in name else 64
    for end in (*range(header, len(body), max(1, len(body) // 40)), len(body) - 1, len(body) - 2):
        assert reason_of(body[:end]) == "truncated", end


def overwritten(body: bytes, at: float, filling: bytes) -> bytes:
    """Return a file with other bytes at a place, given as a share of it."""
    begin = round(len(body) * at)
    return body[:begin] + filling + body[begin + len(filling) :]


# libjpeg makes a picture of each of these, and Pillow does not say that something is wrong with it.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off, and ended": lambda body: body[: len(body) * 9 // 10] + b"\xff\xd9",
    "cut off, and filled up": lambda body: overwritten(body, 0.7, bytes(len(body) * 3 // 10)),
    "zeros": lambda body: overwritten(body, 0.6, bytes(2048)),
    "other bytes": lambda body: overwritten(body, 0.6, random.Random(0).randbytes(512).replace(b"\xff", b"\xfe")),
    "bytes lost": lambda body: body[: len(body) // 2] + body[len(body) // 2 + 512 :],
    "sent as text": lambda body: body.replace(b"\n", b"\r\n"),
}
NOISE = np.random.default_rng(0).integers(0, 256, (280, 300, 3), np.uint8)
DETAILED = Image.fromarray(NOISE).filter(ImageFilter.GaussianBlur(1))
LARGE_JPEGS = {
    "baseline": encoded(DETAILED, quality=90),
    "progressive": encoded(DETAILED, quality=90, progressive=True),
    "grey": encoded(DETAILED.convert("L"), quality=90),
    "cmyk": encoded(DETAILED.convert("CMYK"), quality=90),
    "with restarts": encoded(DETAILED, quality=90, restart_marker_rows=1),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("form", LARGE_JPEGS)
def test_jpeg_whose_picture_is_damaged_is_refused(form: str, damage: str) -> None:
    photograph_of(LARGE_JPEGS[form])
    assert reason_of(DAMAGES[damage](LARGE_JPEGS[form])) in ("corrupt", "truncated")


@pytest.mark.parametrize("form", LARGE_JPEGS)
@pytest.mark.parametrize("halvings", [0, 1, 2])
def test_jpeg_is_decoded_to_the_pixels_of_pillow(form: str, halvings: int) -> None:
    with Image.open(io.BytesIO(LARGE_JPEGS[form])) as opened, Image.open(io.BytesIO(LARGE_JPEGS[form])) as expected:
        enough_px = min(opened.size) >> halvings
        expected.draft(None, (enough_px, enough_px))
        decoded = decode_jpeg(LARGE_JPEGS[form], opened, enough_px)
        assert np.array_equal(np.asarray(decoded), np.asarray(expected))


@pytest.mark.parametrize("form", ["baseline", "progressive", "grey"])
def test_jpeg_is_decoded_no_smaller_than_asked_and_hardly_larger(form: str) -> None:
    with Image.open(io.BytesIO(LARGE_JPEGS[form])) as opened:
        whole_px = min(opened.size)
    for enough_px in range(whole_px // 8, whole_px + 1, 7):
        with Image.open(io.BytesIO(LARGE_JPEGS[form])) as opened:
            decoded_px = min(decode_jpeg(LARGE_JPEGS[form], opened, enough_px).size)
        assert enough_px <= decoded_px <= enough_px + whole_px / 8 + 1


@pytest.mark.parametrize("form", LARGE_JPEGS)
def test_jpeg_that_is_smaller_than_asked_stays_as_it_is(form: str) -> None:
    with Image.open(io.BytesIO(LARGE_JPEGS[form])) as opened:
        whole = opened.size
        assert decode_jpeg(LARGE_JPEGS[form], opened, 2 * max(whole)).size == whole


def test_harmless_oddities_of_cameras_are_no_damage() -> None:
    body = LARGE_JPEGS["baseline"]
    photograph_of(body[:-2] + b"\x00" + body[-2:])
    photograph_of(body + b"a film of the moment")
    # The three numbers at the end of a scan's header, which some phones fill in otherwise.
    scan = body.index(b"\xff\xda") + 2
    numbers = scan + int.from_bytes(body[scan : scan + 2], "big") - 3
    photograph_of(body[:numbers] + bytes(3) + body[numbers + 3 :])


@pytest.mark.parametrize("form", LARGE_JPEGS)
@pytest.mark.parametrize("count", [1, 3, 16, 5000])
def test_jpeg_that_is_filled_up_with_zeros_before_its_end_mark_is_taken(form: str, count: int) -> None:
    body = LARGE_JPEGS[form]
    photograph_of(body[:-2] + bytes(count) + body[-2:])


@pytest.mark.parametrize("form", LARGE_JPEGS)
@pytest.mark.parametrize("count", [64, 5000])
def test_jpeg_whose_last_pixels_are_zeros_is_refused_however_many_more_follow(form: str, count: int) -> None:
    body = LARGE_JPEGS[form]
    for more in (0, 16, 5000):
        assert reason_of(body[: -2 - count] + bytes(count + more) + body[-2:]) == "corrupt", more


@pytest.mark.parametrize("options", [{"lossless": True, "method": 0}, {"quality": 100, "method": 0}])
def test_webp_of_something_on_a_white_ground_is_taken_though_its_pixels_are_long_runs_of_zeros(options: dict[str, int]) -> None:
    picture = Image.new("RGB", (1000, 800), "white")
    picture.paste(DETAILED, (300, 500))
    body = encoded(picture, "WEBP", **options)
    assert bytes(512) in body
    photograph_of(body)


REFUSED = {
    "nothing": (b"", "empty"),
    "html": (b"<!DOCTYPE html><html><body>403</body></html>", "not_an_image"),
    "html after a blank line": (b"\n  <html></html>", "not_an_image"),
    "text": (b"hello, I am a photograph", "not_an_image"),
    "zip": (b"PK\x03\x04" + bytes(50), "not_an_image"),
    "pdf": (b"%PDF-1.7\n", "not_an_image"),
    "sound": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not_an_image"),
    "zeros": (bytes(5000), "not_an_image"),
    "gif": (encoded(scene(), "GIF"), "unsupported_format"),
    "bmp": (encoded(scene(), "BMP"), "unsupported_format"),
    "tiff": (encoded(scene(), "TIFF"), "unsupported_format"),
    "heic": (b"\x00\x00\x00\x18ftypheic" + bytes(40), "unsupported_format"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported_format"),
    "animated png": (several_frames("PNG"), "animated"),
    "animated webp": (several_frames("WEBP"), "animated"),
    "png bomb": (png_bomb(12_000), "too_many_pixels"),
    "larger png bomb": (png_bomb(60_000), "too_many_pixels"),
    "webp bomb": (webp_bomb(16_000), "too_many_pixels"),
    "jpeg bomb": (jpeg_bomb(65_000), "too_many_pixels"),
    "jpeg of noise": (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4 + b"\xff\xd9", "corrupt"),
    "png with a wrong checksum": (png_bomb(64).replace(b"IHDR\x00", b"IHDR\x01", 1), "corrupt"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_photograph_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    assert reason_of(body) == reason


def test_warnings_of_the_decoder_are_no_verdict() -> None:
    body = encoded(scene().quantize(8), "PNG", transparency=b"\x00\x80\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photograph_of(body)
    too_large = decode(png_bomb(10_000), max_pixels=200_000_000, short_side_px=80)
    assert isinstance(too_large, Refusal)
