"""Names of label folders: readable, safe on every file system, one for each label. Pure."""

import hashlib
from collections import Counter
from collections.abc import Mapping

from deep_images_hub.datasets.slugs import slug

# Names that Windows keeps for devices.
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))})


def label_folders(names: Mapping[str, str]) -> dict[str, str]:
    """Give every label a folder name of a-z, 0-9 and hyphens, at most 90 characters.

    Display names repeat among labels, and differ in letters that some file systems do not tell apart. A label whose slug is not
    its own gets its code behind it, and a digest of the code where even that is not unique.

    Args:
        names: display names by label code.

    Returns:
        Folder names by label code, unique even where case does not count.
    """
    slugs = {code: slug(name) or slug(code) or "label" for code, name in names.items()}
    for suffix in (slug, _digest):
        shared = Counter(slugs.values())
        for code, folder in slugs.items():
            if shared[folder] > 1 or folder in _RESERVED:
                slugs[code] = f"{folder}-{suffix(code)[:20]}".rstrip("-")
    if len(set(slugs.values())) < len(slugs):
        # Only a name made to look like another label's suffixed folder comes here; digests alone cannot be imitated.
        slugs = {code: f"label-{_digest(code)}" for code in names}
    return slugs


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:20]
