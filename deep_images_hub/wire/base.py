"""The two kinds of models: what the API answers, and what it is asked."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# What the catalogue's keys can be.
MAX_ID = 2**63 - 1
PAGE = 50
MAX_PAGE = 200

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(description="Of a photograph's bytes as sent.")]
Split = Annotated[str, Field(description="`train`, `validation` or `test`.")]


class Answer(BaseModel):
    """What the API answers. A client passes over fields that it does not know: a newer hub may say more."""

    model_config = ConfigDict(frozen=True, from_attributes=True, extra="ignore", protected_namespaces=())


class Page(Answer):
    """A part of a list."""

    next: str | None = Field(description="The address of the part that comes next; null: this is the end.")


class Asked(BaseModel):
    """What a request says. Names that the API does not know are refused: they would be mistakes that nobody sees."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True, protected_namespaces=())


class PageAsked(Asked):
    """Which part of a list."""

    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="At most so many.")
    cursor: str | None = Field(
        default=None, max_length=2_000, description="From the `next` of the part before; not to be made up."
    )


class Problem(Answer):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(description="Where the code is explained.")
    title: str
    status: int
    detail: str = Field(description="For people: what was received, what was expected, what to do.")
    code: str = Field(description="For programs: stays the same.")
    errors: list[dict[str, Any]] = Field(default=[], description="Each value that cannot be used: `where` it is, and `message`.")
