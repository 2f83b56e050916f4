"""Sending photographs: an upload grows file by file, in parts, until it is finished and becomes a batch."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from deep_images_hub.wire.base import MAX_ID, Answer, Asked


class UploadFile(Answer):
    """One file of an upload, as far as it has come."""

    position: int = Field(description="Its number in the upload.")
    filename: str
    size_bytes: int
    received_bytes: int = Field(description="From its beginning: the next part goes on here.")
    state: str = Field(description="`arriving`, `arrived` (nobody has looked at it), `good` or `doubtful`.")
    expected_reason: str | None = Field(description="Why it would be refused; null: not known to.")


class Upload(Answer):
    """What somebody sends for one label, until it is finished."""

    key: str = Field(description="Of the batch that it becomes.")
    label_code: str
    label_name: str
    licence: str
    attribution: str | None
    is_sealed: bool = Field(description="Nothing can be added or left out: it is becoming a batch.")
    created_at: datetime
    changed_at: datetime
    files: list[UploadFile]


class Uploads(Answer):
    """What an account has begun and not finished, latest first."""

    uploads: list[Upload]


class UploadAsked(Asked):
    """An upload to begin."""

    label: str = Field(max_length=500, description="A label's code.")
    licence: str = Field(
        max_length=20, description="Under which the photographs are given: `by`, `by-sa`, `by-nc`, `by-nc-sa` or `cc0`."
    )
    consents: Literal[True] = Field(description="Whoever sends them may give them away.")
    attribution: str | None = Field(default=None, max_length=400, description="Whom to credit; left out: the account's name.")
    place: str | None = Field(default=None, max_length=200, description="A city or a postcode; left out: no place is shared.")
    uses_positions: bool = Field(default=False, description="Let the hub see near which known place the photographs were taken.")


class UploadFileAsked(Asked):
    """A file to add. The same file again is where it is."""

    filename: str = Field(max_length=1_000)
    size_bytes: int = Field(ge=0, le=MAX_ID)
    sha256: str | None = Field(default=None, description="Of its bytes: what arrives is held against it.")


class PartAsked(Asked):
    """Where a part of a file goes on."""

    offset: int = Field(ge=0, le=MAX_ID, description="As many bytes as have been received.")


class FinishedUpload(Answer):
    """An upload that became a batch."""

    batch_key: str


class Done(Answer):
    """Something was done that has no answer of its own."""

    is_done: Literal[True] = True
