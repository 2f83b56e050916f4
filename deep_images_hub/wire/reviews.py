"""For operators: pictures in review, reports of pictures, and what becomes of both."""

from datetime import datetime

from pydantic import Field

from deep_images_hub.wire.base import Answer, Asked, Page, PageAsked, Sha256


class WaitingPicture(Answer):
    """A picture in review."""

    submission_id: int
    sha256: Sha256
    width_px: int
    height_px: int
    label_code: str = Field(description="What it comes in under when it is accepted.")
    label_name: str
    reason: str
    score: float | None
    threshold: float | None
    detail: str | None
    batch_key: str
    filename: str
    supplier_name: str
    since: datetime
    picture_url: str


class WaitingPage(Page):
    """A part of the pictures in review, oldest first."""

    pictures: list[WaitingPicture]


class WaitingAsked(PageAsked):
    """Which pictures in review."""

    label: str | None = Field(default=None, max_length=200, description="As it was sent, by code.")
    reason: str | None = Field(default=None, max_length=200)
    batch: str | None = Field(default=None, max_length=200, description="A batch's key.")


class RelabelAsked(Asked):
    """The label that a picture is to have."""

    label: str = Field(max_length=200, description="Its code, or its name where only one label has it.")


class RejectAsked(Asked):
    """Why a picture is refused."""

    reason: str = Field(
        max_length=40, description="`wrong_label`, `blurry`, `dark`, `low_information`, `not_a_photograph` or `unsuitable`."
    )


class Decision(Answer):
    """A decision of one's own that stands, and what waits."""

    change_id: int | None = Field(description="To take it back; null: none stands.")
    status: str | None
    reason: str | None
    in_review: int
    reported: int


class UndoAnswer(Answer):
    """A decision that was taken back: its picture waits again."""

    submission_id: int


class PictureReport(Answer):
    """What somebody said of a picture."""

    reason: str
    note: str | None
    user_name: str
    created_at: datetime


class ReportedPicture(Answer):
    """A picture with reports that no operator has decided on."""

    sha256: Sha256
    label_name: str | None
    batch_key: str
    supplier_name: str
    reports: list[PictureReport]
    versions: int = Field(description="Dataset versions that have it.")
    models: int = Field(description="Models that learnt from it.")
    picture_url: str


class ReportedPage(Page):
    """A part of the pictures that were reported; those that wait longest first."""

    pictures: list[ReportedPicture]


class ReportDecision(Answer):
    """What became of a reported picture."""

    outcome: str = Field(description="`kept`, `review` or `taken_down`.")
    submission_id: int | None = Field(default=None, description="Of the picture, where it went into review.")
    patched_versions: list[int] = Field(default=[], description="The versions that took others' place, where it was taken down.")
