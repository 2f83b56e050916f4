"""Pictures: galleries, and one picture with all that is known of it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from deep_images_hub.licences import LICENCES
from deep_images_hub.wire.base import MAX_PAGE, PAGE, Answer, Asked, Page, Sha256

_Yes = Literal["yes", "no", "1", "0"]


class Picture(Answer):
    """A picture under its current label."""

    sha256: Sha256
    label_code: str
    label_name: str
    width_px: int = Field(description="Of the photograph as sent, upright.")
    height_px: int
    picture_url: str = Field(description="The stored picture, a JPEG.")
    thumbnail_url: str


class PicturePage(Page):
    """A part of a gallery."""

    pictures: list[Picture]
    is_cut_short: bool = Field(description="So many pictures were looked at that this part is not full; more may come after it.")


class FacetValue(Answer):
    """A value that pictures have. value: as filters take it, or the number of a step of scores or sizes."""

    value: str
    name: str
    images: int = Field(description="How many pictures of the label, or of the hub, have it, whatever else is asked for.")


class PictureCounts(Answer):
    """How many pictures fit, and what those of the label, or of the hub, have in common."""

    least: int = Field(description="At least so many fit; equal to `most` where it is known exactly.")
    most: int
    facets: dict[str, list[FacetValue]]


class NearCopy(Picture):
    """A picture that looks the same."""

    score: float = Field(description="0: the same but for light.")


class ExactCopy(Answer):
    """A photograph that was refused because its bytes were here already."""

    batch_key: str
    position: int
    filename: str


class Verdict(Answer):
    """What a check said of a picture."""

    check_name: str
    outcome: str = Field(description="`pass`, `flag` (kept, but worth a look) or `fail`.")
    score: float | None = Field(description="0 (worst) to 1.")
    threshold: float | None
    detail: str | None


class GivenLabel(Answer):
    """A label that somebody gave a picture."""

    label_code: str
    label_name: str
    said_by: str = Field(description="`supplier`, `crowd`, `network` or `operator`.")
    confidence: float | None
    is_current: bool
    created_at: datetime


class PictureDetail(Answer):
    """A picture with its verdicts, its lineage and what looks the same."""

    sha256: Sha256
    label_code: str | None = Field(description="null: it has no label now, and is not for everybody.")
    label_name: str | None
    width_px: int
    height_px: int
    picture_url: str
    thumbnail_url: str
    format: str
    size_bytes: int = Field(description="Of the photograph as sent.")
    quality_score: float
    licence: str
    licence_url: str
    attribution: str | None
    supplier_name: str
    batch_key: str
    country_code: str | None = Field(description="null unless the supplier shared a place.")
    city: str | None
    taken_at: datetime | None
    created_at: datetime
    status: str = Field(description="`public`, or for its supplier and operators `hidden`.")
    labels: list[GivenLabel] = Field(description="All that it has or had, newest first.")
    verdicts: list[Verdict]
    near_copies: list[NearCopy]
    exact_copies: list[ExactCopy]


class FilterAsked(Asked):
    """Which pictures; all of it must hold. The addresses of the portal's galleries say the same in the same words."""

    label: str | None = Field(default=None, max_length=500, description="A label's code. Left out: of the whole hub.")
    own: _Yes | None = Field(default=None, description="`yes`: of the very label, not of labels under it.")
    country: str | None = Field(default=None, description="ISO 3166-1 alpha-2.")
    city: str | None = None
    time: str | None = Field(default=None, description="What the days are about: `received` or `taken`.")
    since: str | None = Field(default=None, alias="from", description="A day such as 2026-03-01.")
    until: str | None = Field(default=None, alias="to")
    licence: list[str] = Field(default=[], max_length=len(LICENCES), description=f"One of these: {', '.join(LICENCES)}.")
    min_quality: str | None = Field(default=None, description="0 to 1.")
    max_quality: str | None = None
    min_side: str | None = Field(default=None, description="Of the short side, in px.")
    max_side: str | None = None
    reviewed: _Yes | None = Field(default=None, description="Whether an operator looked at it and let it in.")
    supplier: str | None = Field(default=None, description="A supplier's number, as the facet `supplier` says it.")


class PicturesAsked(FilterAsked):
    """Which pictures, in which order, and which part of them."""

    sort: str | None = Field(default=None, description="`newest` (also when left out), `oldest`, `quality` or `size`.")
    at: str | None = Field(default=None, max_length=40, description="Begin at a month, a day, a score or a size, by the order.")
    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=2_000, description="From the `next` of the part before.")


class ReportAsked(Asked):
    """What is wrong with a picture."""

    reason: str = Field(description="`people`, `rights`, `offensive`, `wrong_label` or `other`.")
    note: str = Field(default="", description="In your own words; at most 1,000 characters.")


class ReportAnswer(Answer):
    """What became of a report. is_new: false: this account reported the picture before, and nobody has decided yet."""

    is_new: bool
