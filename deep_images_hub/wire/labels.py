"""Labels: the graph, its counts, and search."""

from pydantic import Field

from deep_images_hub.wire.base import Answer, Asked, Page, PageAsked


class Label(Answer):
    """A label with its counts."""

    id: int = Field(description="On this hub alone; elsewhere the label has another.")
    code: str = Field(description="Its name outside this hub, such as `/m/014j1m`.")
    name: str = Field(description="For people; several labels may share it.")
    own_images: int = Field(description="Pictures whose current label it is.")
    subtree_images: int = Field(description="Those, and the pictures of all labels under it.")
    has_children: bool


class FoundLabel(Label):
    """A label that was searched for."""

    alias: str | None = Field(description="What else it is called, where that was found and not its name.")


class LabelDetail(Label):
    """A label with what is above it."""

    aliases: list[str]
    ancestors: list[Label] = Field(description="Every label above it, farthest first.")


class LabelPage(Page):
    """A part of a list of labels."""

    labels: list[Label]


class FoundLabels(Answer):
    """Labels that were searched for, best first."""

    labels: list[FoundLabel]


class LabelsAsked(PageAsked):
    """Which labels: those right under one, or those under no other."""

    under: str | None = Field(default=None, max_length=500, description="A label's code. Left out: labels under no other.")


class LabelSearchAsked(Asked):
    """What to look for."""

    q: str = Field(max_length=100, description="A piece of a name or of an alias, whatever its case, or a whole code.")
    limit: int = Field(default=20, ge=1, le=60)


class LabelCodeAsked(Asked):
    """Which label."""

    code: str = Field(max_length=500, description="Such as `/m/014j1m`.")


class LabelCountsAsked(PageAsked):
    """Which labels: by how many pictures they have with everything under them."""

    min_images: int | None = Field(default=None, ge=0, le=2**31 - 1)
    max_images: int | None = Field(default=None, ge=0, le=2**31 - 1)
