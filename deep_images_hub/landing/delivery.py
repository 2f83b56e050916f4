"""A delivery: photographs that lie in another store, or elsewhere in the hub's, and are to become one batch. Pure."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

# Nothing longer is copied. S3 copies at most 5 GiB at once; intake reads far less (max_object_bytes).
MAX_FILE_BYTES = 1 << 30

_MAX_NAME_CHARACTERS = 60
_DIGEST_CHARACTERS = 20
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One photograph where it lies.

    Attributes:
        key: in the source.
        filename: what the supplier calls it.
        size_bytes: what it must have; None: whatever it has.
        sha256: of its bytes, in lower case; None: whatever they are.
        taken_at: in UTC; None where nobody says.
    """

    key: str
    filename: str
    size_bytes: int | None = None
    sha256: str | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes one batch.

    Attributes:
        batch_key: made of what the delivery says (`batch_key_of`), so that sending it again changes nothing.
        origin: where its photographs lie, kept with the batch.
        folder: key of the folder in the source that holds them all.
        is_whole: a file that cannot be had spoils it; otherwise that file is left out.
        files: by position.
    """

    batch_key: str
    origin: str
    folder: str
    supplier_email: str
    supplier_name: str
    label_code: str
    licence: str
    attribution: str | None
    place_query: str | None
    submitted_at: datetime
    is_whole: bool
    files: tuple[SourceFile, ...]


def batch_key_of(kind: str, name: str, *said: object) -> str:
    """Return a key that people recognise and that follows from all that is said: of other words, another key.

    Args:
        kind: the job that makes the batch, e.g. `land`.
        name: for people: what the supplier calls it. Odd letters are replaced.
        said: everything that makes this batch this one, as JSON can write it.
    """
    shown = _ODD.sub("-", name)[-_MAX_NAME_CHARACTERS:].strip("-._")
    digest = sha256(json.dumps(said).encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return "-".join(part for part in (kind, shown, digest) if part)


def credit(licence: str, attribution: str | None, supplier_name: str) -> str | None:
    """Return whom to credit: who is named, else the supplier where the licence asks for a credit, else nobody."""
    if attribution is None and licence not in ("cc0", "pdm"):
        return supplier_name
    return attribution
