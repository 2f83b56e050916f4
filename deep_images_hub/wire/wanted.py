"""What is wanted: asking for pictures, votes, watching, and labels that people propose."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from deep_images_hub.demand.rules import MAX_NOTE_LENGTH, MAX_TARGET_IMAGES, RADII_KM
from deep_images_hub.wire.base import Answer, Asked, Page, PageAsked

_LABEL = "Its code, or its name where only one label has it."


class Demand(Answer):
    """Pictures of a label that somebody wants."""

    id: int
    label_id: int
    label_code: str
    label_name: str
    user_name: str = Field(description="Who asks.")
    target_images: int = Field(description="How many there are to be.")
    have_images: int = Field(
        description="How many there are, with everything under the label; for a place those sent from around it, as last counted."
    )
    vote_count: int = Field(description="Others who want it too.")
    note: str | None
    city: str | None = Field(description="From around where; null: from anywhere.")
    country_code: str | None
    distance_km: float | None = Field(default=None, description="From where one looks to that place.")
    has_voted: bool
    is_watched: bool = Field(description="Whether one is told of its label.")
    created_at: datetime


class DemandPage(Page):
    """A part of what is wanted."""

    demands: list[Demand]


class DemandsAsked(PageAsked):
    """What is wanted: in which order, of which label, around which place."""

    order: Literal["votes", "missing", "newest"] = "votes"
    label: str | None = Field(default=None, max_length=500, description="A label's code.")
    near: str | None = Field(default=None, max_length=200, description="A city or a postcode: what is wanted from around it.")
    km: int = Field(default=50, ge=RADII_KM[0], le=RADII_KM[-1], description=f"How far: {', '.join(map(str, RADII_KM))}.")


class AskAsked(Asked):
    """What is asked for."""

    label: str = Field(min_length=1, max_length=200, description=_LABEL)
    target_images: int = Field(ge=1, le=MAX_TARGET_IMAGES, description="How many there are to be in all.")
    note: str = Field(default="", max_length=MAX_NOTE_LENGTH, description="What they should show. Everybody sees it.")
    place: str | None = Field(default=None, max_length=200, description="From around a city or a postcode; left out: anywhere.")


class AskedFor(Answer):
    """What asking came to."""

    id: int = Field(description="Of the demand.")
    outcome: str = Field(description="`new`, `voted` where others ask for as many or more, or `repeated` where nothing changed.")


class Changed(Answer):
    """What became of a demand."""

    id: int
    outcome: str = Field(description="`voted`, `taken back`, `withdrawn`, `passed on` to who voted for it, or `unchanged`.")


class OwnDemand(Answer):
    """What one asked for, and what became of it."""

    id: int
    label_id: int
    label_name: str
    target_images: int
    have_images: int = Field(description="When it was met, or now.")
    vote_count: int
    note: str | None
    status: str = Field(description="`open`, `met` or `withdrawn`.")
    city: str | None
    created_at: datetime
    closed_at: datetime | None


class OwnDemandPage(Page):
    """A part of what one asked for, newest first."""

    demands: list[OwnDemand]


class Watching(Answer):
    """Whether one is told when what is wanted of a label is there."""

    label_id: int
    is_watched: bool


class ProposeAsked(Asked):
    """A label that is missing."""

    name: str = Field(min_length=1, max_length=200)
    parent: str | None = Field(default=None, max_length=200, description=f"Under which label it belongs. {_LABEL}")
    target_images: int | None = Field(default=None, ge=1, le=MAX_TARGET_IMAGES)
    note: str = Field(default="", max_length=MAX_NOTE_LENGTH, description="For the operators.")


class Proposal(Answer):
    """A label that somebody proposed."""

    id: int
    user_name: str
    name: str
    parent_code: str | None
    target_images: int | None
    note: str | None
    status: str = Field(description="`waiting`, `accepted`, `merged` or `refused`.")
    label_id: int | None = Field(description="What it became, or what it is called here already.")
    answer: str | None
    created_at: datetime


class ProposalPage(Page):
    """A part of a list of proposed labels."""

    proposals: list[Proposal]


class Proposed(Answer):
    """Whether a proposal is new."""

    is_new: bool = Field(description="False: one proposed it before, and nobody has decided on it.")


class AcceptProposalAsked(Asked):
    """How a proposed label is called, and where it belongs."""

    name: str = Field(min_length=1, max_length=200)
    parent: str = Field(min_length=1, max_length=200, description=_LABEL)


class MergeProposalAsked(Asked):
    """Which label it is that is here already."""

    label: str = Field(min_length=1, max_length=200, description=_LABEL)


class RefuseProposalAsked(Asked):
    """Why a proposed label is not added."""

    reason: str = Field(min_length=1, max_length=MAX_NOTE_LENGTH, description="Whoever proposed it is told.")


class Answered(Answer):
    """What became of a proposal."""

    id: int
    status: str
    label_id: int | None


class WatchedLabel(Answer):
    """A label that one is told of."""

    id: int
    name: str


class WatchedLabels(Answer):
    """The labels that one is told of, by name."""

    labels: list[WatchedLabel]


class NeedsAsked(Asked):
    """For which goal of a model pictures are asked for."""

    goal: float = Field(description="A share of right answers that the model's report names.")
    label: str | None = Field(default=None, max_length=500, description="A label's code; left out: all that need more.")


class AskedForAll(Answer):
    """What asking for several labels came to."""

    wanted: int = Field(description="Labels of which pictures are wanted now.")
    there: int = Field(description="Labels of which so many are here already.")
