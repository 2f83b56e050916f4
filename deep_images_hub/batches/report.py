"""What became of a batch, in words and as a CSV file. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

# What is wrong with a submission, after "Refused: ..." and "Needs a look: ...".
REASON_WORDS = {
    "missing": "the file never arrived",
    "empty": "the file is empty",
    "too_large": "the file is too large",
    "not_an_image": "the file is not a picture",
    "unsupported_format": "a format that is not taken",
    "too_many_pixels": "too many pixels",
    "animated": "an animation",
    "truncated": "the file ends too early",
    "corrupt": "the file is damaged",
    "exact_duplicates": "the same picture was here before",
    "odd_size": "too small",
    "odd_aspect_ratio": "too long and narrow",
    "dark": "too dark",
    "light": "too bright",
    "low_information": "almost nothing in it",
    "blurry": "blurred",
    "label_agreement": "it may show something else than its label says",
}
# Who changed a decision later.
CAUSE_WORDS = {"redecide": "a threshold was moved", "network": "a network looked at it", "operator": "an operator decided"}

CSV_COLUMNS = (
    "position", "file", "size_bytes", "status", "reason", "in_words", "detail", "score", "threshold", "sha256", "changed_by",
    "changed_at",
)  # fmt: skip
# A spreadsheet takes cells that begin like this for formulas, and file names are the supplier's to choose.
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class FileReport:
    """What became of one file of a batch.

    Attributes:
        position: its place in the manifest, from 0.
        reason: one of `verdicts.REASONS` where it was rejected or is in review, else None.
        detail, score, threshold: of the verdict that decided it; None where it has none.
        image_sha256: its picture; for a copy, the original; None where there is none. Its sides in pixels likewise.
        is_public: everybody may see that picture.
        cause: what changed its decision last, one of `verdicts.DECISION_CAUSES`; None: it is as intake decided.
    """

    position: int
    filename: str
    size_bytes: int
    status: str
    reason: str | None
    detail: str | None
    score: float | None
    threshold: float | None
    image_sha256: str | None
    width_px: int | None
    height_px: int | None
    is_public: bool
    cause: str | None
    changed_at: datetime | None


@dataclass(frozen=True)
class BatchQuality:
    """Quartiles of the quality scores, 0..1, of a batch's photographs that decode and are no copies; None: there are none."""

    pictures: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


def reason_words(reason: str) -> str:
    """Say what is wrong with a submission."""
    return REASON_WORDS.get(reason, reason.replace("_", " "))


def csv_lines(files: Iterable[FileReport]) -> Iterator[str]:
    """Yield a report as lines of CSV (RFC 4180), its header first. What a spreadsheet would run begins with an apostrophe."""
    yield _csv_line(CSV_COLUMNS)
    for sent in files:
        yield _csv_line(
            (
                sent.position,
                sent.filename,
                sent.size_bytes,
                sent.status,
                sent.reason or "",
                reason_words(sent.reason) if sent.reason else "",
                sent.detail or "",
                "" if sent.score is None else f"{sent.score:.4g}",
                "" if sent.threshold is None else f"{sent.threshold:.4g}",
                sent.image_sha256 or "",
                CAUSE_WORDS.get(sent.cause, sent.cause) if sent.cause else "",
                "" if sent.changed_at is None else sent.changed_at.isoformat(timespec="seconds"),
            )
        )


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(_harmless(cell) if isinstance(cell, str) else cell for cell in cells)
    return line.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_BEGINS) else cell
