"""The manifest of a batch: `landing/<batch>/manifest.json`, written after the batch's objects and never changed.

It says who sent which objects, for which label, under which licence. The catalogue's rows of a batch are made from it and can
be made from it again.
"""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.licences import LICENCES
from deep_images_hub.object_store.keys import check_key, manifest_key

MAX_OBJECTS = 100_000


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected a time that there is in UTC") from error


def _known_licence(code: str) -> str:
    if code not in LICENCES:
        raise ValueError(f"expected one of {', '.join(LICENCES)}")
    return code


def _key_in_landing(key: str) -> str:
    try:
        check_key(key)
    except InvalidInputError as error:
        raise ValueError(str(error)) from error
    if not key.startswith("landing/"):
        raise ValueError("expected a key under landing/")
    return key


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Licence = Annotated[str, AfterValidator(_known_licence)]


class ManifestObject(BaseModel):
    """One photograph of a batch. Its place in the manifest is its position.

    Attributes:
        object_key: where the raw bytes lie, under `landing/`.
        filename: as the supplier named it; shown, never opened.
        size_bytes: as the supplier's side counted them.
        taken_at: when it was taken, in UTC; None where the supplier does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    object_key: Annotated[str, AfterValidator(_key_in_landing)]
    filename: str = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=0)
    taken_at: UtcTime | None = None


class Manifest(BaseModel):
    """What a supplier says of one batch.

    Attributes:
        batch_key: the sender's name for it, unique over the hub.
        supplier_email: whose batch it is, in lower case.
        supplier_name: how the supplier is called in lists.
        label_code: the one label that every photograph of the batch is said to show.
        licence: one of `licences.LICENCES`.
        attribution: the credit that the licence asks for, or None.
        place_query: the place that the supplier opted in to share, as written, or None.
        submitted_at: when it was sent, in UTC.
        origin: where its photographs were copied from, e.g. a folder of a bucket; None: they were sent here.
        objects: the photographs, by position.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_key: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")
    supplier_email: str = Field(pattern=r"^[^@\sA-Z]+@[^@\sA-Z]+$", max_length=254)
    supplier_name: str = Field(min_length=1, max_length=200)
    label_code: str = Field(min_length=1, max_length=400)
    licence: Licence
    attribution: str | None = None
    place_query: str | None = None
    submitted_at: UtcTime
    origin: str | None = None
    objects: tuple[ManifestObject, ...] = Field(min_length=1, max_length=MAX_OBJECTS)

    @model_validator(mode="after")
    def _distinct_objects(self) -> Self:
        if len({photograph.object_key for photograph in self.objects}) != len(self.objects):
            raise ValueError("an object key is there twice")
        return self

    @property
    def key(self) -> str:
        """Where the manifest itself lies in the store."""
        return manifest_key(self.batch_key)

    def to_json(self) -> bytes:
        """Return the manifest as UTF-8 JSON; the same manifest always gives the same bytes."""
        return self.model_dump_json(indent=1).encode()


def manifest_from_json(body: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        InvalidInputError: it is no manifest; the message names each wrong field.
    """
    try:
        return Manifest.model_validate_json(body)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'manifest'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise InvalidInputError(f"This is not a batch's manifest: {problems}.") from error
