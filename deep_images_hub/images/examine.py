"""All that can be said of one photograph from its bytes alone: the decision that intake, the benches and the portal share."""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image

from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.descriptor import Descriptor, describe
from deep_images_hub.images.quality import QualityThresholds, quality_score, quality_verdicts, thresholds_from_settings
from deep_images_hub.settings import Settings
from deep_images_hub.verdicts import Verdict, decision_of

# Found out before any decoding; the other reasons of `verdicts.BROKEN_REASONS` are the decoder's.
_BYTES_REASONS = frozenset({"missing", "empty", "too_large", "not_an_image", "unsupported_format"})


@dataclass(frozen=True)
class ExaminationLimits:
    """What an examination holds a photograph against."""

    max_object_bytes: int
    max_pixels: int
    image_side_px: int
    thumbnail_side_px: int
    jpeg_quality: int
    thresholds: QualityThresholds


@dataclass(frozen=True)
class Picture:
    """A photograph that decodes, in the forms in which it is kept, whatever its quality: a threshold may be moved later.

    Attributes:
        format: of the bytes as sent.
        width_px: of the photograph as sent, upright.
        height_px: likewise.
        descriptor: how it looks, for finding near-duplicates.
        quality_score: the lowest of its quality scores, 0..1, colour left aside.
        jpeg: upright, sRGB, short side `image_side_px`, without EXIF; the same bytes for the same photograph.
        thumbnail_jpeg: likewise, short side `thumbnail_side_px`.
    """

    format: str
    width_px: int
    height_px: int
    descriptor: Descriptor
    quality_score: float
    jpeg: bytes
    thumbnail_jpeg: bytes


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        reason: why the photograph is rejected, one of `verdicts.REASONS`; None where it is accepted.
        verdicts: one for each check that was made, in order.
        sha256: of the bytes as sent; None where they were never read whole.
        picture: None where the bytes are no sound photograph.
    """

    reason: str | None
    verdicts: tuple[Verdict, ...]
    sha256: str | None
    picture: Picture | None

    @property
    def status(self) -> str:
        """`accepted` or `rejected`."""
        return "accepted" if self.reason is None else "rejected"


def limits_from_settings(settings: Settings) -> ExaminationLimits:
    """Return the limits that the settings name."""
    return ExaminationLimits(
        max_object_bytes=settings.max_object_bytes,
        max_pixels=settings.max_pixels,
        image_side_px=settings.image_side_px,
        thumbnail_side_px=settings.thumbnail_side_px,
        jpeg_quality=settings.jpeg_quality,
        thresholds=thresholds_from_settings(settings),
    )


def examine(body: bytes, limits: ExaminationLimits) -> Examination:
    """Judge one photograph: bytes, decoding, quality; cheap checks first, each on what the one before let through.

    Whether the hub already has it cannot be seen from its bytes alone: that is decided where it joins the catalogue.
    """
    if len(body) > limits.max_object_bytes:
        return refused_as_too_large(limits)
    sha256 = hashlib.sha256(body).hexdigest()
    photograph = decode(body, max_pixels=limits.max_pixels, short_side_px=limits.image_side_px)
    if isinstance(photograph, Refusal):
        return _refused(photograph, sha256)
    luma = photograph.picture.convert("L")
    quality = quality_verdicts(photograph, luma, limits.thresholds, full_side_px=limits.image_side_px)
    verdicts = (Verdict("bytes", "pass"), Verdict("decode", "pass"), *quality)
    _, reason = decision_of(verdicts)
    picture = Picture(
        format=photograph.format,
        width_px=photograph.width_px,
        height_px=photograph.height_px,
        descriptor=describe(luma),
        quality_score=quality_score(quality),
        jpeg=_jpeg(photograph.picture, limits.jpeg_quality),
        thumbnail_jpeg=_jpeg(_thumbnail(photograph.picture, limits.thumbnail_side_px), limits.jpeg_quality),
    )
    return Examination(reason, verdicts, sha256, picture)


def refused_as_missing() -> Examination:
    """Return the finding for an object that the manifest names and the store does not have."""
    return _refused(Refusal("missing", "The manifest names this object, and the store does not have it."), sha256=None)


def refused_as_too_large(limits: ExaminationLimits) -> Examination:
    """Return the finding for an object that is too long to be read."""
    refusal = Refusal("too_large", f"The file is longer than {limits.max_object_bytes:,} bytes, the most that is read.")
    return _refused(refusal, sha256=None)


def _refused(refusal: Refusal, sha256: str | None) -> Examination:
    detail = f"{refusal.reason}: {refusal.detail}"
    if refusal.reason in _BYTES_REASONS:
        verdicts: tuple[Verdict, ...] = (Verdict("bytes", "fail", detail=detail),)
    else:
        verdicts = (Verdict("bytes", "pass"), Verdict("decode", "fail", detail=detail))
    return Examination(refusal.reason, verdicts, sha256, picture=None)


def _thumbnail(picture: Image.Image, short_side_px: int) -> Image.Image:
    scale = min(1.0, short_side_px / min(picture.size))
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.HAMMING)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    body = io.BytesIO()
    picture.save(body, "JPEG", quality=quality)
    return body.getvalue()
