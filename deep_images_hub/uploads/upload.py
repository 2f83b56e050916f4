"""An upload: what somebody sends through the portal for one label, until it is a batch.

What may be sent, how far it has come, and what it becomes. Pure.
"""

import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.landing.delivery import batch_key_of, credit
from deep_images_hub.licences import LICENCES
from deep_images_hub.object_store.keys import landing_key
from deep_images_hub.settings import Settings
from deep_images_hub.verdicts import BROKEN_REASONS

MAX_FILENAME_CHARACTERS = 255
MAX_ATTRIBUTION_CHARACTERS = 200
# Uploads that one account has begun and not finished.
MAX_OPEN_UPLOADS = 20
# What is received of a file is kept in parts of this length at most: memory is bounded, and a portal that dies loses only the
# part under way.
PART_BYTES = 4 << 20
# Of one file: each is an object, and all are read at once in the end.
MAX_PARTS = 1_000

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")
# Letters that nobody sees: they turn names around, or hide in them.
_UNSHOWN = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")


@dataclass(frozen=True)
class UploadLimits:
    """What one account may send. Each number is a setting."""

    max_file_bytes: int
    max_photographs: int
    max_photographs_per_day: int


@dataclass(frozen=True)
class NewUpload:
    """What is said of an upload at its beginning. Checked as it is made.

    Attributes:
        licence: one of `licences.LICENCES`.
        attribution: whom to credit; None: the supplier, where the licence asks for a credit.
        place_query: the place that the supplier named; None: none.
        place_id: what that stands for.
        uses_positions: the supplier lets the hub know in which known place the photographs say they were taken.
    """

    label_id: int
    licence: str
    attribution: str | None = None
    place_query: str | None = None
    place_id: int | None = None
    uses_positions: bool = False

    def __post_init__(self) -> None:
        if self.licence not in LICENCES:
            raise InvalidInputError(f"{self.licence[:40]!r} is no licence of this hub. Choose one of {', '.join(LICENCES)}.")
        credited = " ".join((self.attribution or "").split()) or None
        if credited and (len(credited) > MAX_ATTRIBUTION_CHARACTERS or any(map(_is_unshown, credited))):
            raise InvalidInputError(
                f"The credit cannot be shown, or has more than {MAX_ATTRIBUTION_CHARACTERS} characters. Expected a name."
            )
        object.__setattr__(self, "attribution", credited)


@dataclass(frozen=True)
class NewFile:
    """What is said of a file before its first byte. Checked and cleaned as it is made.

    Attributes:
        sha256: of its bytes, where the sender could say; what arrives is held against it.
    """

    filename: str
    size_bytes: int
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise InvalidInputError(f"{self.sha256[:80]!r} is no sha256. Expected 64 digits 0-9, a-f.")
        object.__setattr__(self, "filename", shown_filename(self.filename))

    def check(self, limits: UploadLimits) -> None:
        """Raise InvalidInputError when such a file would be refused whatever is in it."""
        if self.size_bytes <= 0:
            raise InvalidInputError(f"{self.filename} is empty. Choose a photograph.")
        if self.size_bytes > limits.max_file_bytes:
            raise InvalidInputError(
                f"{self.filename} has {self.size_bytes / 1e6:.1f} MB. Expected at most {limits.max_file_bytes / 1e6:.0f} MB: "
                "send a smaller copy."
            )


@dataclass(frozen=True)
class UploadFile:
    """One file of an upload, as far as it has come.

    Attributes:
        position: its number in the upload, never given twice; those left out leave gaps.
        received_bytes: from its beginning.
        object_key: where it lies once it is whole; None before.
        landed_sha256: of what lies there.
        place_id: the known place nearest to where it was taken, where that may be known.
        is_examined: the portal has looked at it.
        expected_reason: why intake would refuse it, one of `verdicts.REASONS`; None: not known to.
    """

    position: int
    filename: str
    size_bytes: int
    sha256: str | None
    received_bytes: int
    object_key: str | None
    landed_sha256: str | None
    taken_at: datetime | None
    place_id: int | None
    is_examined: bool
    expected_reason: str | None

    @property
    def has_landed(self) -> bool:
        """Whether it is whole and lies where intake will find it."""
        return self.object_key is not None

    @property
    def has_picture(self) -> bool:
        """Whether it has landed and is not known to be no picture at all."""
        return self.has_landed and self.expected_reason not in BROKEN_REASONS

    def is_same_as(self, new: NewFile) -> bool:
        """Tell whether this is a file that is offered again: by name, size and, where both are known, sha256."""
        is_other = self.sha256 is not None and new.sha256 is not None and self.sha256 != new.sha256
        return not is_other and (self.filename, self.size_bytes) == (new.filename, new.size_bytes)

    @property
    def state(self) -> str:
        """How it stands, in one word: `arriving`, `arrived` (nobody has looked at it), `good` or `doubtful`."""
        if not self.has_landed:
            return "arriving"
        if not self.is_examined:
            return "arrived"
        return "doubtful" if self.expected_reason else "good"


@dataclass(frozen=True)
class Upload:
    """An upload.

    Attributes:
        key: of the batch that it becomes.
        sealed_at: since when nothing can be added or left out: it is becoming a batch. None: it is open.
        changed_at: when something came last.
        files: by position.
    """

    id: int
    key: str
    supplier_id: int
    label_code: str
    label_name: str
    licence: str
    attribution: str | None
    place_query: str | None
    place_id: int | None
    uses_positions: bool
    sealed_at: datetime | None
    created_at: datetime
    changed_at: datetime
    files: tuple[UploadFile, ...] = field(default=())

    @property
    def arrived(self) -> int:
        """How many of its photographs are whole."""
        return sum(file.has_landed for file in self.files)


def limits_from_settings(settings: Settings) -> UploadLimits:
    """Return the limits that the settings name."""
    return UploadLimits(
        max_file_bytes=settings.max_object_bytes,
        max_photographs=settings.max_batch_photographs,
        max_photographs_per_day=settings.max_photographs_per_day,
    )


def shown_filename(name: str) -> str:
    """Return a file's name as it is shown: without folders, unseen letters and undue length, and never empty."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join("_" if _is_unshown(letter) else letter for letter in unicodedata.normalize("NFC", last)).strip()
    if len(shown) > MAX_FILENAME_CHARACTERS:
        suffix = PurePosixPath(shown).suffix[:10]
        shown = shown[: MAX_FILENAME_CHARACTERS - len(suffix)] + suffix
    return shown or "photograph"


def new_upload_key(label_name: str) -> str:
    """Return a key that nobody guesses and that people recognise."""
    return batch_key_of("send", label_name, secrets.token_hex(16))


def new_part_key(upload_key: str, position: int, start_byte: int) -> str:
    """Return a key for what is received from a byte on. No two are the same: whose part counts is in the catalogue."""
    return f"uploads/{upload_key}/{position:06d}/{start_byte:012d}-{secrets.token_hex(8)}"


def landed_key(upload_key: str, file: UploadFile) -> str:
    """Return where a whole file lies."""
    suffix = PurePosixPath(file.filename).suffix.lower()
    return landing_key(upload_key, file.position, suffix if _SUFFIX.fullmatch(suffix) else "")


def place_of(files: Sequence[UploadFile]) -> int | None:
    """Return the place in which most of some photographs were taken; None where none says."""
    places = Counter(file.place_id for file in files if file.place_id is not None)
    return max(places, key=lambda place_id: (places[place_id], -place_id)) if places else None


def manifest_of(
    upload: Upload, *, supplier_email: str, supplier_name: str, place_query: str | None, submitted_at: datetime
) -> Manifest:
    """Return the manifest of the batch that an upload becomes. The same upload gives the same manifest."""
    return Manifest(
        batch_key=upload.key,
        supplier_email=supplier_email,
        supplier_name=supplier_name,
        label_code=upload.label_code,
        licence=upload.licence,
        attribution=credit(upload.licence, upload.attribution, supplier_name),
        place_query=place_query,
        submitted_at=submitted_at,
        objects=tuple(
            ManifestObject(object_key=file.object_key, filename=file.filename, size_bytes=file.size_bytes, taken_at=file.taken_at)
            for file in upload.files
            if file.object_key is not None
        ),
    )


def _is_unshown(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSHOWN
