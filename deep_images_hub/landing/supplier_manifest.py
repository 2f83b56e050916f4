"""A supplier's manifest: `NAME.manifest.json`, put beside the folder `NAME/` once all photographs lie in it.

    {
      "supplier": "ada@example.org",
      "label": "/m/014j1m",
      "licence": "by",
      "attribution": "Ada Berg",
      "place": "Toronto, Canada",
      "taken_at": "2026-05-03T10:00:00Z",
      "files": [{"name": "shelf/IMG_1.jpg", "size_bytes": 48213, "sha256": "9f86d0...", "taken_at": "2026-05-03T10:01:07Z"}]
    }

Supplier, label, licence, files and their names are needed; all else may be left out. This is what others write; the manifest of a
batch (`batches.manifest`) is made from it. Pure: whether supplier, label and files exist is for others to find out.
"""

import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, ValidationError, model_validator
from pydantic_core import from_json

from deep_images_hub.batches.manifest import MAX_OBJECTS, Licence, UtcTime
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.landing.delivery import Delivery, SourceFile, batch_key_of, credit
from deep_images_hub.object_store import ObjectStat
from deep_images_hub.object_store.keys import check_key
from deep_images_hub.places.geocoders import normalised_query

MANIFEST_SUFFIX = ".manifest.json"
# Enough for the largest number of files, with everything that can be said of each and names of 100 letters.
MAX_MANIFEST_BYTES = 32 << 20

_MAX_FIELDS = 100
_PROBLEMS_SHOWN = 3


def _plain(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("expected text without control characters")
    if not text.strip():
        raise ValueError("expected more than white space")
    return text


def _name(text: str) -> str:
    try:
        return check_key(text)
    except InvalidInputError as error:
        raise ValueError(f"expected the path of a file in the manifest's folder. {error}") from error


def _place(text: str) -> str:
    try:
        normalised_query(text)
    except InvalidInputError as error:
        raise ValueError(str(error)) from error
    return text


PlainText = Annotated[str, AfterValidator(_plain)]


class ListedFile(BaseModel):
    """One photograph, as its supplier describes it.

    Attributes:
        name: its path in the manifest's folder.
        taken_at: None: the manifest's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(max_length=255), AfterValidator(_name)]
    size_bytes: int | None = Field(None, ge=0)
    sha256: str | None = Field(None, pattern="^[0-9A-Fa-f]{64}$")
    taken_at: UtcTime | None = None


class SupplierManifest(BaseModel):
    """What a supplier says of the photographs in a folder.

    Attributes:
        supplier: e-mail address of an account.
        label: code of a label.
        attribution: the credit that the licence asks for; None: the supplier's name, where it asks for one.
        place: the place that the supplier opts in to share; None: none.
        taken_at: when those photographs were taken that say nothing themselves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: Annotated[PlainText, Field(max_length=254)]
    label: Annotated[PlainText, Field(max_length=400)]
    licence: Licence
    attribution: Annotated[PlainText, Field(max_length=1000)] | None = None
    place: Annotated[str, AfterValidator(_place)] | None = None
    taken_at: UtcTime | None = None
    # Stops at the first wrong one: a hostile manifest would have millions of them.
    files: Annotated[tuple[ListedFile, ...], FailFast()] = Field(min_length=1, max_length=MAX_OBJECTS)

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        if len({file.name for file in self.files}) != len(self.files):
            raise ValueError("a file is named twice")
        return self


def supplier_manifest_from_json(body: bytes) -> SupplierManifest:
    """Read a supplier's manifest: UTF-8, with or without a byte order mark.

    Raises:
        InvalidInputError: it is none; the message names the first wrong fields.
    """
    try:
        said = from_json(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise InvalidInputError(f"This is not a supplier's manifest: expected JSON in UTF-8, but {error}.") from error
    try:
        return SupplierManifest.model_validate(_with_few_fields(said))
    except ValidationError as error:
        # Fields that nobody knows first: one that is missing is often one of those, written otherwise.
        found = error.errors(include_input=False, include_url=False)
        problems = sorted(found, key=lambda problem: problem["type"] != "extra_forbidden")
        shown = "; ".join(
            f"{'.'.join(str(part)[:80] for part in problem['loc']) or 'manifest'}: {problem['msg'][:300]}"
            for problem in problems[:_PROBLEMS_SHOWN]
        )
        more = f"; and {len(problems) - _PROBLEMS_SHOWN} more" if len(problems) > _PROBLEMS_SHOWN else ""
        raise InvalidInputError(f"This is not a supplier's manifest: {shown}{more}.") from error


def _with_few_fields(said: object) -> object:
    """Return the same, or raise InvalidInputError where to name all fields that are too many would take all memory."""
    objects = [said]
    if isinstance(said, dict) and isinstance(said.get("files"), list):
        objects += said["files"][: MAX_OBJECTS + 1]
    most = max((len(one) for one in objects if isinstance(one, dict)), default=0)
    if most > _MAX_FIELDS:
        raise InvalidInputError(f"This is not a supplier's manifest: an object of it has {most} fields. Expected at most 7.")
    return said


def is_manifest_key(key: str) -> bool:
    """Say whether an object lies where a supplier's manifest does: right in the source, called NAME.manifest.json."""
    return "/" not in key and key.endswith(MANIFEST_SUFFIX) and not key.startswith(".")


def manifest_folder(key: str) -> str:
    """Return the folder that a manifest speaks of."""
    return key.removesuffix(MANIFEST_SUFFIX)


def delivery_from_manifest(
    manifest: SupplierManifest, *, body: bytes, found: ObjectStat, source_url: str, supplier_email: str, supplier_name: str
) -> Delivery:
    """Return what a manifest asks to take in. Of the same manifest at the same place, always the same batch.

    Args:
        body: the manifest's bytes.
        found: where it lies, and since when: it was sent then.
        supplier_email: the account's.
        supplier_name: the account's.

    Raises:
        InvalidInputError: with its folder, a name is too long for an object key.
    """
    folder = manifest_folder(found.key)
    return Delivery(
        batch_key=batch_key_of("land", folder, source_url, found.key, sha256(body).hexdigest()),
        origin=f"{source_url}/{found.key}",
        folder=folder,
        supplier_email=supplier_email,
        supplier_name=supplier_name,
        label_code=manifest.label,
        licence=manifest.licence,
        attribution=credit(manifest.licence, manifest.attribution, supplier_name),
        place_query=manifest.place,
        submitted_at=found.modified_at,
        is_whole=True,
        files=_source_files(folder, manifest.files, manifest),
    )


def _source_files(folder: str, files: Sequence[ListedFile], manifest: SupplierManifest) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(
            key=check_key(f"{folder}/{file.name}"),
            filename=file.name,
            size_bytes=file.size_bytes,
            sha256=file.sha256 and file.sha256.lower(),
            taken_at=file.taken_at or manifest.taken_at,
        )
        for file in files
    )
