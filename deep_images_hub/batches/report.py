"""What became of a batch, in words, as a CSV file and as an e-mail. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from deep_images_hub.mail import plain_message
from deep_images_hub.spreadsheets import harmless_cell

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
    "grayscale": "no colour",
    "label_agreement": "it may show something else than its label says",
    "wrong_label": "it shows something else than its label says",
    "not_a_photograph": "a drawing, a screenshot or a montage",
    "unsuitable": "it shows people, or what others should not see",
    "taken_down": "taken down after a report",
}
# Who changed a decision later.
CAUSE_WORDS = {"redecide": "a threshold was moved", "network": "a network looked at it", "operator": "an operator decided"}

CSV_COLUMNS = (
    "position", "file", "size_bytes", "status", "reason", "in_words", "detail", "score", "threshold", "sha256", "changed_by",
    "changed_at",
)  # fmt: skip


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


@dataclass(frozen=True)
class BatchResult:
    """What a supplier is told of a closed batch. rejected, review: submissions by reason."""

    batch_key: str
    label_name: str
    supplier_email: str
    supplier_name: str
    submitted: int
    accepted: int
    rejected: Mapping[str, int]
    review: Mapping[str, int]
    quality: BatchQuality


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


def batch_message(result: BatchResult, *, sender: str, portal_url: str | None) -> EmailMessage:
    """Write the e-mail that tells a supplier what became of a batch.

    Its Message-ID is made of the batch's key: should it arrive twice all the same, a mail program shows it once.

    Args:
        sender: an address, or a name with an address: `Hub <hub@example.org>`.
        portal_url: where the supplier reaches the portal; None: no link is given.

    Raises:
        InvalidInputError: the supplier's address cannot stand in a message.
    """
    return plain_message(
        to=result.supplier_email,
        sender=sender,
        subject=f"{result.accepted:,} of {result.submitted:,} photographs accepted: {_one_line(result.label_name)}",
        name=f"batch.{result.batch_key}",
        lines=_message_lines(result, portal_url),
    )


def _message_lines(result: BatchResult, portal_url: str | None) -> list[str]:
    lines = [
        f"Dear {_one_line(result.supplier_name)},",
        "",
        f"your batch {result.batch_key} for {_one_line(result.label_name)} is done.",
        "",
        f"  {result.submitted:>7,}  photographs sent",
        f"  {result.accepted:>7,}  accepted",
    ]
    for words, counts in (("refused", result.rejected), ("waiting for a look", result.review)):
        for reason, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
            lines.append(f"  {count:>7,}  {words}: {reason_words(reason)}")
    if result.quality.median is not None:
        lines += ["", f"Quality, from 0 to 1: {result.quality.median:.2f}, the median of what can be read and is no copy."]
    if portal_url is not None:
        lines += ["", f"Each photograph, and why: {portal_url.rstrip('/')}/batches/{result.batch_key}"]
    return [*lines, "", "Thank you."]


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(map(harmless_cell, cells))
    return line.getvalue()
