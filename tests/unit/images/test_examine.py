import hashlib
import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from deep_images_hub.images.decode import Photograph, decode
from deep_images_hub.images.examine import ExaminationLimits, examine, limits_from_settings, refused_as_missing
from deep_images_hub.images.network_input import network_input, stored_network_input
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.scenes import render
from deep_images_hub.verdicts import CHECKS, QUALITY_REASONS
from tests.unit.images.photographs import encoded, exif, icc_profile, scene

HONEST = render(0, "Apple", 1)


@pytest.fixture
def limits() -> ExaminationLimits:
    return limits_from_settings(Settings())


def opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def test_honest_photograph_is_accepted_with_a_verdict_of_every_check(limits: ExaminationLimits) -> None:
    found = examine(HONEST, limits)
    assert (found.status, found.reason) == ("accepted", None)
    assert found.sha256 == hashlib.sha256(HONEST).hexdigest()
    assert [verdict.check_name for verdict in found.verdicts] == ["bytes", "decode", *QUALITY_REASONS]
    assert {verdict.outcome for verdict in found.verdicts} == {"pass"}
    assert found.picture
    assert 0 < found.picture.quality_score <= 1
    assert found.picture.format == "jpeg"


def test_stored_forms_are_upright_small_and_without_exif(limits: ExaminationLimits) -> None:
    sideways = opened(HONEST).rotate(90, expand=True)
    found = examine(encoded(sideways, exif=exif(6), comment=b"private"), limits)
    assert found.picture
    for body, short_side_px in ((found.picture.jpeg, 256), (found.picture.thumbnail_jpeg, 160)):
        image = opened(body)
        assert (image.format, image.mode, min(image.size)) == ("JPEG", "RGB", short_side_px)
        assert not image.getexif()
        assert b"private" not in body
    assert (found.picture.width_px > found.picture.height_px) == (opened(HONEST).width > opened(HONEST).height)


def test_same_bytes_give_the_same_examination(limits: ExaminationLimits) -> None:
    assert examine(HONEST, limits) == examine(HONEST, limits)


def test_broken_photograph_has_its_sha256_and_says_which_check_failed(limits: ExaminationLimits) -> None:
    found = examine(HONEST[:-500], limits)
    assert (found.status, found.reason, found.picture) == ("rejected", "truncated", None)
    assert found.sha256 == hashlib.sha256(HONEST[:-500]).hexdigest()
    assert [(verdict.check_name, verdict.outcome) for verdict in found.verdicts] == [("bytes", "pass"), ("decode", "fail")]
    assert found.verdicts[-1].detail
    assert found.verdicts[-1].detail.startswith("truncated: ")


@pytest.mark.parametrize(
    ("body", "reason"), [(b"", "empty"), (b"<html>", "not_an_image"), (encoded(scene(), "GIF"), "unsupported_format")]
)
def test_bytes_that_are_no_photograph_fail_the_first_check_alone(body: bytes, reason: str, limits: ExaminationLimits) -> None:
    found = examine(body, limits)
    assert found.reason == reason
    assert [(verdict.check_name, verdict.outcome) for verdict in found.verdicts] == [("bytes", "fail")]


def test_too_large_and_missing_objects_are_refused(limits: ExaminationLimits) -> None:
    assert examine(bytes(limits.max_object_bytes + 1), limits).reason == "too_large"
    assert refused_as_missing().reason == "missing"


def picture(short_px: int = 300) -> Image.Image:
    return opened(HONEST).resize((round(short_px * 1.25), short_px))


POOR = {
    "dark": ImageEnhance.Brightness(picture()).enhance(0.07),
    "light": Image.eval(picture(), lambda level: 250 + level // 60),
    "blurry": picture().filter(ImageFilter.GaussianBlur(7)),
    "low_information": Image.new("RGB", (320, 300), (120, 130, 140)),
    "odd_size": picture(24),
    "odd_aspect_ratio": opened(HONEST).resize((1500, 300)),
}


@pytest.mark.parametrize("reason", POOR)
def test_poor_photograph_is_rejected_for_what_is_wrong_with_it(reason: str, limits: ExaminationLimits) -> None:
    found = examine(encoded(POOR[reason], quality=92), limits)
    assert found.reason == reason
    failed = next(verdict for verdict in found.verdicts if verdict.check_name == reason)
    assert failed.score is not None
    assert failed.threshold is not None
    assert failed.score < failed.threshold
    # Scores are kept of every check, also after the first that failed.
    assert [verdict.check_name for verdict in found.verdicts] == ["bytes", "decode", *QUALITY_REASONS]
    assert {verdict.check_name for verdict in found.verdicts} < set(CHECKS)


def test_photograph_without_colour_is_flagged_and_kept_unless_the_settings_refuse_it(limits: ExaminationLimits) -> None:
    grey = picture().convert("L")
    for image in (grey, grey.convert("RGB"), grey.convert("CMYK")):
        found = examine(encoded(image, quality=70), limits)
        (verdict,) = (verdict for verdict in found.verdicts if verdict.check_name == "grayscale")
        assert (found.status, verdict.outcome, verdict.score) == ("accepted", "flag", 0)
        # Black and white is no lack of quality.
        assert found.picture
        assert found.picture.quality_score > limits.thresholds.grayscale
    strict = limits_from_settings(Settings(grayscale_outcome="fail"))
    assert examine(encoded(grey, quality=70), strict).reason == "grayscale"
    # One small red thing makes a picture in colour.
    coloured = grey.convert("RGB")
    coloured.paste("firebrick", (100, 100, 140, 140))
    assert examine(encoded(coloured, quality=70), strict).reason is None


def test_sharp_product_before_a_blurred_background_is_accepted(limits: ExaminationLimits) -> None:
    image = picture(400).filter(ImageFilter.GaussianBlur(9))
    image.paste(picture(400).crop((120, 80, 380, 320)), (120, 80))
    assert examine(encoded(image, quality=92), limits).reason is None


@pytest.mark.parametrize("size", [(256, 256), (341, 256), (256, 341), (200, 150), (1000, 300)])
@pytest.mark.parametrize("side_px", [64, 224])
def test_network_input_is_the_unstretched_middle(size: tuple[int, int], side_px: int) -> None:
    image = Image.new("RGB", size, "white")
    radius = min(size) // 4
    middle = (size[0] // 2, size[1] // 2)
    image.paste("black", (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius))
    pixels = network_input(image, side_px)
    assert (pixels.shape, pixels.dtype) == ((side_px, side_px, 3), np.uint8)
    is_black = pixels[..., 0] < 128
    # Half the short side, which is 256/224 of the network's.
    expected_px = side_px * 256 / 224 / 2
    assert abs(is_black[side_px // 2].sum() - expected_px) <= 2
    assert abs(is_black[:, side_px // 2].sum() - expected_px) <= 2


def test_network_input_of_a_stored_picture_is_not_resampled() -> None:
    image = scene((341, 256))
    assert np.array_equal(network_input(image, 224), np.asarray(image)[16:240, 58:282])


@pytest.mark.parametrize("size", [(256, 256), (1024, 768), (300, 700)])
def test_network_input_of_a_picture_as_it_is_stored_is_the_same_by_the_shorter_way(
    size: tuple[int, int], limits: ExaminationLimits
) -> None:
    picture = examine(encoded(scene(size), quality=92), limits).picture
    assert picture
    decoded = decode(picture.jpeg, max_pixels=limits.max_pixels, short_side_px=limits.image_side_px)
    assert isinstance(decoded, Photograph)

    pixels = stored_network_input(picture.jpeg, 224)

    assert pixels is not None
    assert np.array_equal(pixels, network_input(decoded.picture, 224))
    assert pixels.base is None, "it does not keep the whole picture in memory"


@pytest.mark.parametrize(
    "body",
    [
        encoded(scene((300, 257))),
        encoded(scene((300, 256)), exif=exif(6)),
        encoded(scene((300, 256)), icc_profile=icc_profile()),
        encoded(scene((300, 256)).convert("L")),
        encoded(scene((300, 256)).convert("CMYK")),
        encoded(scene((300, 256)), "PNG"),
        encoded(scene((300, 256)))[:-200],
        b"",
    ],
    ids=["size", "exif", "profile", "grey", "cmyk", "png", "cut off", "empty"],
)
def test_only_whole_pictures_as_they_are_stored_go_the_shorter_way(body: bytes) -> None:
    assert stored_network_input(encoded(scene((300, 256))), 224) is not None
    assert stored_network_input(body, 224) is None
