"""Names that every file system, address and command line takes as they are. Pure."""

import re
import unicodedata

MAX_SLUG_LENGTH = 60


def slug(name: str) -> str:
    """Return a name in a-z, 0-9 and hyphens, at most 60 characters; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name.replace("'", "").replace("\u2019", "")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG_LENGTH].strip("-")


def file_stem(name: str) -> str:
    """Return what the names of a dataset's files begin with."""
    return slug(name) or "dataset"
