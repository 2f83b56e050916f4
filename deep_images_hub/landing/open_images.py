"""Open Images' lists as they are published: which pictures there are, where, under which licence, what people saw in them. Pure.

Source: storage.googleapis.com/openimages/web/download_v7.html: "Image IDs" (`image_ids_and_rotation.csv` and the like) and
"Human-verified labels" (`...-annotations-human-imagelabels.csv`). Columns are found by their names. `Rotation` is not looked at:
what is taken in is the original, which says itself how it is to be turned.
"""

import base64
import binascii
import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.landing.download import Download
from deep_images_hub.licences import LICENCES

LABEL_COLUMNS = ("ImageID", "LabelName", "Confidence")
IMAGE_COLUMNS = ("ImageID", "OriginalURL", "License", "Author")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")
_LICENCE = re.compile(r"https?://creativecommons\.org/(?:licenses/(?P<code>[a-z-]+)|publicdomain/(?P<public>zero|mark))(?:/|$)")
_PUBLIC = {"zero": "cc0", "mark": "pdm"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass
class SkippedRows:
    """Rows of a list of pictures that cannot be used, by reason; and pictures that have none of the labels."""

    by_reason: Counter[str] = field(default_factory=Counter)


def labels_of_images(lines: Iterable[str], known_codes: Collection[str]) -> dict[str, str]:
    """Return one label for each image in which people verified one of those that are known, by image id.

    Of several, the one with the fewest images in the list, then the lesser code: a picture has one label in the hub, and rare
    ones are wanted most.

    Raises:
        InvalidInputError: a column is missing.
    """
    seen: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for row in _rows(lines, LABEL_COLUMNS, "human-verified image labels"):
        code = row["LabelName"]
        if code in known_codes and _is_certain(row["Confidence"]):
            seen.setdefault(row["ImageID"], []).append(code)
            counts[code] += 1
    return {image: min(codes, key=lambda code: (counts[code], code)) for image, codes in seen.items()}


def downloads(lines: Iterable[str], labels: Mapping[str, str], skipped: SkippedRows) -> Iterator[Download]:
    """Yield the pictures of a list that have a label; count the others.

    Args:
        labels: label code by image id, as `labels_of_images` returns them.

    Raises:
        InvalidInputError: a column is missing.
    """
    for row in _rows(lines, IMAGE_COLUMNS, "image ids"):
        name, url = row["ImageID"], row["OriginalURL"].strip()
        licence = _licence(row["License"])
        if name not in labels:
            skipped.by_reason["no label that is wanted"] += 1
        elif not _NAME.fullmatch(name) or not _ADDRESS.fullmatch(url):
            skipped.by_reason["no id or address that can be used"] += 1
        elif licence is None:
            skipped.by_reason["a licence that the hub does not take"] += 1
        else:
            size = row.get("OriginalSize") or ""
            yield Download(
                name=name,
                url=url,
                label_code=labels[name],
                licence=licence,
                attribution=_attribution(row),
                size_bytes=int(size) if size.isascii() and size.isdecimal() and len(size) < 16 else None,
                md5=_hex_md5(row.get("OriginalMD5") or ""),
            )


def _rows(lines: Iterable[str], columns: Collection[str], what: str) -> Iterator[dict[str, str]]:
    rows = csv.DictReader(lines, restval="")
    try:
        yield from _checked(rows, columns, what)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInputError(f"After line {rows.line_num} the list of {what} cannot be read: {error}.") from error


def _checked(rows: "csv.DictReader[str]", columns: Collection[str], what: str) -> Iterator[dict[str, str]]:
    missing = [column for column in columns if column not in (rows.fieldnames or ())]
    if missing:
        raise InvalidInputError(
            f"This is not Open Images' list of {what}: the column {missing[0]!r} is missing. Expected a CSV file whose first "
            f"line names at least {', '.join(columns)}."
        )
    yield from rows


def _is_certain(confidence: str) -> bool:
    try:
        return float(confidence) == 1.0
    except ValueError:
        return False


def _licence(url: str) -> str | None:
    found = _LICENCE.match(url.strip())
    if found is None:
        return None
    code = found["code"] or _PUBLIC[found["public"]]
    return code if code in LICENCES else None


def _attribution(row: Mapping[str, str]) -> str | None:
    parts = (row["Author"], row.get("AuthorProfileURL") or "", row["License"])
    shown = [part for part in (_CONTROLS.sub(" ", part).strip()[:300] for part in parts) if part]
    return ", ".join(shown) or None


def _hex_md5(text: str) -> str | None:
    """Return what the list has in base64 as lower-case hex; None where it has none."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 16 else None
