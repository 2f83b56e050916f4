"""Whether one model is better than another, by more than chance. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# Standard deviations on either side of 95 % of a normal distribution.
_Z_95 = 1.959964
_RESAMPLED = 2000


@dataclass(frozen=True)
class SharedBatch:
    """Of one batch, the pictures that both models were tested on under the same label: how many each, and only one, got right."""

    images: int
    right_a: int
    right_b: int
    only_a: int
    only_b: int


@dataclass(frozen=True)
class Gain:
    """By how much the share of right answers of the second model is higher than the first one's.

    Attributes:
        difference: second minus first, -1..1.
        low, high: its 95 % interval.
        images: pictures that both were asked about; None: each was tested on its own.
        only_a, only_b: of those, right by one of them alone.
    """

    difference: float
    low: float
    high: float
    images: int | None = None
    only_a: int | None = None
    only_b: int | None = None

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class LabelChange:
    """How much more of a label's pictures the second model finds. A recall is None where its test has none of them."""

    code: str
    name: str
    recall_a: float | None
    recall_b: float | None
    support_a: int
    support_b: int

    @property
    def change(self) -> float | None:
        """Second minus first; None where one does not know it."""
        return None if self.recall_a is None or self.recall_b is None else self.recall_b - self.recall_a

    @property
    def is_tested(self) -> bool:
        """Whether a test of either has pictures of it."""
        return self.support_a + self.support_b > 0


def gain_on_shared(batches: Sequence[SharedBatch]) -> Gain | None:
    """Compare two models on the pictures that both were tested on. None: there are none.

    The interval is the wider of two: that for pictures which are independent (Agresti & Min 2005, doi:10.1002/sim.1781), and that
    of a bootstrap over batches, whose pictures are not.
    """
    images = sum(batch.images for batch in batches)
    if not images:
        return None
    only_a, only_b = sum(batch.only_a for batch in batches), sum(batch.only_b for batch in batches)
    adjusted_a, adjusted_b, adjusted = only_a + 0.5, only_b + 0.5, images + 2
    middle = (adjusted_b - adjusted_a) / adjusted
    half = _Z_95 * math.sqrt((adjusted_a + adjusted_b) / adjusted - middle**2) / math.sqrt(adjusted)
    sizes = np.array([batch.images for batch in batches])
    gained = np.array([batch.only_b - batch.only_a for batch in batches])
    drawn = np.random.default_rng(0).multinomial(len(batches), [1 / len(batches)] * len(batches), size=_RESAMPLED)
    resampled = np.quantile((drawn @ gained) / (drawn @ sizes), (0.025, 0.975))
    return Gain(
        difference=(only_b - only_a) / images,
        low=max(-1.0, min(middle - half, float(resampled[0]))),
        high=min(1.0, max(middle + half, float(resampled[1]))),
        images=images,
        only_a=only_a,
        only_b=only_b,
    )


def gain_of_intervals(before: Mapping[str, Any], after: Mapping[str, Any]) -> Gain | None:
    """Compare two models by their own tests, whose pictures may differ. None: one was not measured.

    Source: Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.

    Args:
        before, after: metrics, with `test_top1` and `test_top1_interval`.
    """
    if not all(metrics.get("test_top1_interval") for metrics in (before, after)):
        return None
    a, (low_a, high_a) = before["test_top1"], before["test_top1_interval"]
    b, (low_b, high_b) = after["test_top1"], after["test_top1_interval"]
    difference = b - a
    return Gain(
        difference=difference,
        low=difference - math.hypot(b - low_b, high_a - a),
        high=difference + math.hypot(high_b - b, a - low_a),
    )


def label_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[LabelChange]:
    """Compare two models label by label, the largest change first; labels that only one of them knows come last.

    Args:
        before, after: metrics, with `per_class`.
    """
    rows_a, rows_b = ({row["code"]: row for row in metrics.get("per_class", [])} for metrics in (before, after))
    nobody = {"recall": None, "support": 0}
    changes = []
    for code, known in (rows_a | rows_b).items():
        a, b = rows_a.get(code, nobody), rows_b.get(code, nobody)
        changes.append(LabelChange(code, known["name"], a["recall"], b["recall"], a["support"], b["support"]))
    return sorted(changes, key=lambda of: (of.change is None, -abs(of.change or 0.0), of.name.casefold(), of.code))
