"""Where each kind of object lies, and what a key may look like."""

import unicodedata

from deep_images_hub.errors import InvalidInputError

MAX_KEY_BYTES = 900


def check_key(key: str) -> str:
    """Return the key, or raise InvalidInputError when it breaks the rules of `interface`."""
    parts = key.split("/")
    problem = None
    if not key or any(part in ("", ".", "..") for part in parts):
        problem = "it has an empty part, or a part that is '.' or '..'"
    elif "\\" in key or any(unicodedata.category(character) in ("Cc", "Cs") for character in key):
        problem = "it has a backslash, a control character or half a surrogate pair"
    elif not unicodedata.is_normalized("NFC", key):
        problem = "it is not in Unicode's form NFC"
    elif len(key.encode()) > MAX_KEY_BYTES:
        problem = f"it has more than {MAX_KEY_BYTES} bytes in UTF-8"
    if problem:
        raise InvalidInputError(f"{key!r} cannot be an object key: {problem}.")
    return key


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
