"""Where each kind of object lies, and what a key may look like."""

import unicodedata

from deep_images_hub.errors import InvalidInputError

MAX_KEY_BYTES = 900
# What file systems allow for one name.
MAX_PART_BYTES = 255
# States of trainings under way. No table names them: they are those of the runs that have not ended.
CHECKPOINTS_AREA = "checkpoints/"
# Files of exports that are kept: whatever is missing there is put together again.
EXPORTS_AREA = "exports/"
# FolderStore writes here before an object gets its key; hence it is no key in any store.
INCOMING = ".incoming"
_NO_PARTS = frozenset(("", ".", ".."))


def check_key(key: str) -> str:
    """Return the key, or raise InvalidInputError when it breaks the rules of `interface`."""
    if problem := _problem(key):
        raise InvalidInputError(f"{key!r} cannot be an object key: {problem}.")
    return key


def check_key_start(start: str) -> str:
    """Return the beginning of a key (a prefix, or a place in a listing), or raise InvalidInputError when no key can start so."""
    # "a/", "a/." and "a/.." are no keys, but with one more letter they are.
    if start and (problem := _problem(start + "x")):
        raise InvalidInputError(f"No object key can start with {start!r}: {problem}.")
    return start


def _problem(key: str) -> str | None:
    parts = key.split("/")
    if not _NO_PARTS.isdisjoint(parts):
        return "it has an empty part, or a part that is '.' or '..'"
    # Most keys are plain, and looking at each character takes longer than reading a picture.
    is_plain = key.isascii() and key.isprintable()
    if "\\" in key or not (is_plain or all(unicodedata.category(character) not in ("Cc", "Cs") for character in key)):
        return "it has a backslash, a control character or half a surrogate pair"
    if not unicodedata.is_normalized("NFC", key):
        return "it is not in Unicode's form NFC"
    size_bytes = len(key.encode())
    if size_bytes > MAX_KEY_BYTES:
        return f"it has more than {MAX_KEY_BYTES} bytes in UTF-8"
    if size_bytes > MAX_PART_BYTES and any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        return f"a part of it has more than {MAX_PART_BYTES} bytes in UTF-8"
    if parts[0] == INCOMING:
        return f"{INCOMING}/ is kept for objects that are being written"
    return None


def landing_key(batch_key: str, position: int, suffix: str) -> str:
    """Return the key of a batch's raw object; the supplier's own file name is kept in the manifest only."""
    return f"landing/{batch_key}/{position:06d}{suffix}"


def manifest_key(batch_key: str) -> str:
    """Return the key of a batch's manifest."""
    return f"landing/{batch_key}/manifest.json"


def picture_key(sha256: str) -> str:
    """Return the key of a stored picture."""
    return f"images/{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg"


def thumbnail_key(sha256: str) -> str:
    """Return the key of a thumbnail."""
    return f"thumbnails/{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg"


def model_key(run_id: int, attempt: int, filename: str) -> str:
    """Return the key of a file of a trained model."""
    return f"models/{run_id}/{attempt}/{filename}"


def checkpoint_key(run_id: int, name: str) -> str:
    """Return the key of a checkpoint of a training run."""
    return f"{CHECKPOINTS_AREA}{run_id}/{name}.npz"


def export_key(etag: str, name: str) -> str:
    """Return the key of a kept file of an export. Each that is made has a name of its own: whoever comes second mixes nothing."""
    return f"{EXPORTS_AREA}{etag[:2]}/{etag}/{name}"
