"""A supplier's record: what became of all that somebody sent, week by week, label by label, why, and how good it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from deep_images_hub.catalogue.queries import load_query

# Reasons and quality are those of the latest photographs: to read all that a large supplier ever sent takes too long for a page.
LATEST_PHOTOGRAPHS = 5_000
_LATEST_BATCHES = 500
_WEEKS = 26
MAX_LABELS = 10


@dataclass(frozen=True)
class Tally:
    """What became of some photographs: `submitted == pending + accepted + rejected + review`."""

    batches: int
    submitted: int
    pending: int
    accepted: int
    rejected: int
    review: int

    @property
    def decided(self) -> int:
        """How many are no longer waiting."""
        return self.submitted - self.pending

    @property
    def acceptance(self) -> float | None:
        """The share of the decided that was accepted; None where none is decided."""
        return self.accepted / self.decided if self.decided else None


@dataclass(frozen=True)
class LabelTally:
    """A label, what became of its photographs, and the median quality of the latest of them (None: nothing to judge)."""

    code: str
    name: str
    tally: Tally
    quality: float | None


@dataclass(frozen=True)
class Week:
    """What became of the photographs of one week's batches, from its Monday on; only those that are decided."""

    begins_at: datetime
    accepted: int
    rejected: int
    review: int


@dataclass(frozen=True)
class SupplierRecord:
    """The record.

    Attributes:
        total: of everything.
        labels: those with most photographs, largest first.
        weeks: of the last half-year in which something was sent, earliest first.
        reasons: photographs by status and reason, commonest first; of the latest LATEST_PHOTOGRAPHS or so.
        quality: median quality of those, 0..1; None: nothing to judge.
    """

    total: Tally
    labels: tuple[LabelTally, ...]
    weeks: tuple[Week, ...]
    reasons: Mapping[tuple[str, str], int]
    quality: float | None


def supplier_record(connection: Connection, *, supplier_id: int) -> SupplierRecord | None:
    """Return an account's record; None where it has sent nothing."""
    whose = {"supplier_id": supplier_id}
    total, *labels = connection.execute(load_query("supplier_totals"), {**whose, "limit": MAX_LABELS + 1}).all()
    if not total.batches:
        return None
    latest = {**whose, "batches": _LATEST_BATCHES, "photographs": LATEST_PHOTOGRAPHS}
    quality = {row.label_id: row.median for row in connection.execute(load_query("supplier_quality"), latest)}
    reasons = connection.execute(load_query("supplier_reasons"), latest)
    weeks = connection.execute(load_query("supplier_weeks"), {**whose, "weeks": _WEEKS}).all()
    counts = ("batches", "submitted", "pending", "accepted", "rejected", "review")

    def tally(row: object) -> Tally:
        return Tally(**{name: int(getattr(row, name)) for name in counts})

    return SupplierRecord(
        total=tally(total),
        labels=tuple(LabelTally(row.label_code, row.label_name, tally(row), quality.get(row.label_id)) for row in labels),
        weeks=tuple(Week(row.week, int(row.accepted), int(row.rejected), int(row.review)) for row in weeks),
        reasons={(row.status, row.reason): int(row.submissions) for row in reasons},
        quality=quality.get(None),
    )
