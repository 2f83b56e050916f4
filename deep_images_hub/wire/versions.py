"""Recipes and dataset versions: what is asked for, what it would give, the frozen answer, its files."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from deep_images_hub.wire.base import MAX_ID, Answer, Asked, Page, PageAsked, Sha256, Split
from deep_images_hub.wire.pictures import Picture


class SplitFractions(Asked):
    """What share of each label's pictures goes where. They add up to 1."""

    train: float = Field(ge=0, le=1)
    validation: float = Field(ge=0, le=1)
    test: float = Field(ge=0, le=1)


class Recipe(Asked):
    """What a dataset is to hold. Every condition must hold for a picture. What is left out has its default."""

    format: int = 1
    label_codes: list[str] = Field(default=[], max_length=2_000, description="Pictures whose current label is one of these.")
    with_descendants: bool = Field(default=True, description="And the labels under them, each under its own name.")
    pictures: list[str] = Field(
        default=[], max_length=10_000, description="sha256 of single pictures, besides those of the labels."
    )
    left_out: list[str] = Field(default=[], max_length=10_000, description="sha256 of pictures that are not wanted.")
    max_per_label: int | None = Field(default=None, ge=1, le=MAX_ID, description="At most so many of a label, drawn by the seed.")
    city: str | None = Field(default=None, max_length=200)
    licences: list[str] = Field(default=[], max_length=20, description="Empty: any.")
    min_quality: float = Field(default=0.0, ge=0, le=1)
    seed: int = Field(default=0, ge=0, le=MAX_ID, description="Draws pictures and splits.")
    fractions: SplitFractions | None = Field(default=None, description="Left out: 0.7, 0.15, 0.15.")


class FreezeAsked(Asked):
    """A dataset to freeze."""

    name: str = Field(max_length=200, description="For people; at most 120 characters.")
    recipe: Recipe


class LabelCounts(Answer):
    """How many pictures of a label each split has."""

    label_code: str
    label_name: str
    images: dict[str, int] = Field(description="By split.")


class Preview(Answer):
    """What a recipe would give now."""

    recipe_digest: str = Field(description="sha256 of the recipe's canonical JSON.")
    image_count: int
    is_exact: bool = Field(description="false: so many that they are counted when the dataset is frozen; this is about how many.")
    size_bytes: int | None = Field(description="Of the stored pictures; null where not counted.")
    labels: list[LabelCounts] = Field(description="Empty where not counted.")


class Version(Answer):
    """A frozen answer to a recipe; its content never changes."""

    id: int
    name: str
    digest: str = Field(description="Of its content: pictures, labels, splits.")
    recipe_digest: str
    image_count: int
    train_count: int
    validation_count: int
    test_count: int
    label_count: int
    size_bytes: int = Field(description="Of all its stored pictures.")
    created_at: datetime
    patched_by: int | None = Field(description="The version that has what is left of it since pictures were taken down.")


class VersionDetail(Version):
    """A version with its composition."""

    recipe: dict[str, Any]
    labels: list[LabelCounts]
    licences: dict[str, int] = Field(description="Pictures by licence.")
    taken_down: list[str] = Field(description="sha256 of pictures that it had, or that versions which it patches had.")
    citation: str
    bibtex: str


class VersionPage(Page):
    """A part of the list of versions, newest first."""

    versions: list[Version]


class VersionPicture(Answer):
    """A picture of a version, as it was frozen."""

    position: int
    sha256: Sha256
    split: Split
    label_code: str
    label_name: str
    picture_url: str


class VersionPicturePage(Page):
    """A part of a version's pictures, by position. What was taken down is not among them."""

    digest: str = Field(description="Of the version that they are of: the patch, where pictures were taken down.")
    pictures: list[VersionPicture]


class VersionPicturesAsked(PageAsked):
    """Which pictures of a version."""

    split: Literal["train", "validation", "test"] | None = None
    label: str | None = Field(default=None, max_length=500, description="A label's code.")


class DigestAsked(Asked):
    """Which version."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class ChangesAsked(PageAsked):
    """What to compare with, and which kind of change to list."""

    since: int = Field(ge=0, le=MAX_ID, description="The number of the version before.")
    kind: Literal["added", "removed", "moved", "relabelled"] = "added"


class ChangedPicture(Picture):
    """A picture that is different, under the version's own label."""

    split: Split
    split_before: str | None
    label_before: str | None


class Changes(Page):
    """How many pictures changed from one version to another, and those of one kind."""

    added: int
    removed: int
    moved: int = Field(description="To another split.")
    relabelled: int
    hidden: int = Field(description="Pictures of this part that are not for everybody any more, and not listed.")
    pictures: list[ChangedPicture]


class ExportFormat(Answer):
    """A format that versions can be had in."""

    name: str
    title: str
    summary: str
    has_pictures: bool


class ExportFormats(Answer):
    """The formats that versions can be had in."""

    formats: list[ExportFormat]


class ExportedFile(Answer):
    """A file of an export."""

    name: str
    images: int
    size_bytes: int | None = Field(description="null where nobody knows yet.")
    sha256: str | None = Field(description="null until somebody had it to the end.")
    url: str


class ExportManifest(Answer):
    """The files of a version, or of a part of it, in a format."""

    digest: str
    format: str
    part: dict[str, str]
    taken_down: list[str]
    files: list[ExportedFile]


class PartAsked(Asked):
    """Which part of a version; left out, the whole."""

    split: str | None = Field(default=None, description="`train`, `validation` or `test`.")
    label: str | None = Field(default=None, max_length=500, description="A label's code.")
    first: str | None = Field(default=None, description="At most so many pictures of each split.")


class FileAsked(PartAsked):
    """Which part of a version, and which bytes are expected."""

    etag: str | None = Field(default=None, max_length=200, description="Another than the file's own: ranges are not given.")
