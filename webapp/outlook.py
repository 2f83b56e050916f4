"""What a model's scores are worth, and what more pictures would bring, as its page shows them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deep_images_hub.demand.rules import target_for_training
from deep_images_hub.model_reports.report import calibration_of, none_of_these_of
from deep_images_hub.model_reports.words import none_of_these_words, scores_words
from webapp.charts import Mark, mark

# Of the axis of a learning curve: what was measured, and as much again.
_AHEAD = 2.0
_CURVE_STEPS = 40


@dataclass(frozen=True)
class Threshold:
    """From `score` on, answers are right as often as `precision` says; `share` of them reach it. None: no score is enough."""

    precision: float
    score: float | None
    share: float | None


@dataclass(frozen=True)
class Calibration:
    """What a model's scores are worth.

    Attributes:
        words: how far off they are, and on what pictures they were set.
        marks: bins of answers, their mean score across, their accuracy up.
    """

    words: str
    marks: list[Mark]
    thresholds: list[Threshold]


@dataclass(frozen=True)
class LabelNeed:
    """How many more training pictures a label is expected to need. None: more than can be foreseen."""

    has: int
    low: int | None
    likely: int | None
    high: int | None


@dataclass(frozen=True)
class Outlook:
    """What more pictures would bring.

    Attributes:
        images: training pictures a label, on average.
        twice, twice_low, twice_high: accuracy expected of twice as many, and its interval (80 %).
        marks: what was measured on parts of the training split.
        line: points of the fitted curve, from the smallest part to twice the pictures.
        goals: accuracies that can be asked about.
        goal: that asked about; None: nothing above what was reached.
        needs: by label code.
    """

    images: float
    twice: float
    twice_low: float
    twice_high: float
    marks: list[Mark]
    line: str
    goals: list[float]
    goal: float | None
    needs: dict[str, LabelNeed]


def calibration(metrics: Mapping[str, Any]) -> Calibration | None:
    """Read what `models.evaluate.judge_scores` wrote down; None for a model from before that."""
    found = calibration_of(metrics)
    if found is None:
        return None
    return Calibration(
        words=scores_words(found),
        marks=[
            mark(part.score, part.accuracy, f"{part.count} answers of about {part.score:.0%}: {part.accuracy:.0%} right")
            for part in found.bins
        ],
        thresholds=_distinct([Threshold(row.precision, row.score, row.share) for row in found.thresholds]),
    )


def none_of_these(metrics: Mapping[str, Any]) -> str | None:
    """Say when a model answers "none of these"; None where it cannot."""
    found = none_of_these_of(metrics)
    return None if found is None else none_of_these_words(found)


def _distinct(thresholds: list[Threshold]) -> list[Threshold]:
    """Of thresholds at one score, keep the one that promises most; of those that no score reaches, the one that asks least."""
    by_score: dict[float | None, Threshold] = {}
    for threshold in sorted(thresholds, key=lambda one: one.precision):
        if threshold.score is not None or None not in by_score:
            by_score[threshold.score] = threshold
    return list(by_score.values())


def outlook(metrics: Mapping[str, Any], *, goal: float | None) -> Outlook | None:
    """Read what `models.learning_curve.learning_curve` wrote down; None where nothing was measured.

    Args:
        metrics: of a model.
        goal: accuracy to ask about; the lowest above what was reached where it is none of those known.
    """
    found = metrics.get("learning_curve")
    if not found:
        return None
    images = found["points"][-1]["images"]
    widest = images * _AHEAD
    goals = {row["accuracy"]: row["needs"] for row in found["goals"]}
    chosen = goal if goal in goals else min(goals, default=None)
    smallest = min(point["images"] for point in found["points"])
    sizes = [smallest + (widest - smallest) * step / _CURVE_STEPS for step in range(_CURVE_STEPS + 1)]
    line = [mark(size / widest, 1 - found["floor"] - found["scale"] * size ** -found["exponent"], "") for size in sizes]
    return Outlook(
        images=images,
        twice=found["twice"],
        twice_low=found["twice_interval"][0],
        twice_high=found["twice_interval"][1],
        marks=[
            mark(point["images"] / widest, point["accuracy"], f"{point['images']:.0f} pictures a label: {point['accuracy']:.1%}")
            for point in found["points"]
        ],
        line=" ".join(f"{point.x},{point.y}" for point in line),
        goals=sorted(goals),
        goal=chosen,
        needs=_needs(metrics["per_class"], found["train_counts"], goals[chosen]) if chosen is not None else {},
    )


def targets(needs: Mapping[str, LabelNeed], *, train_share: float) -> dict[str, int]:
    """Return how many pictures the hub must have of each label that is likely to need more, by its code.

    Args:
        needs: by label code; labels that need none, or more than can be foreseen, are left out.
        train_share: share of the dataset's pictures that was learnt from.

    Raises:
        InvalidInputError: a label needs more than anybody may ask for.
    """
    return {
        code: target_for_training(has=need.has, needs=need.likely, train_share=train_share)
        for code, need in needs.items()
        if need.likely
    }


def _needs(
    labels: Sequence[Mapping[str, Any]], counts: Sequence[int], needs: Sequence[Mapping[str, Any]]
) -> dict[str, LabelNeed]:
    return {
        label["code"]: LabelNeed(has, need["low"], need["likely"], need["high"])
        for label, has, need in zip(labels, counts, needs, strict=True)
    }
