"""A model's report, made of what training wrote down (`models.evaluate`, `models.learning_curve`)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from deep_images_hub.catalogue.models import TrainedModel
from deep_images_hub.wire.model_reports import (
    ModelReport,
    ReportCalibration,
    ReportCurve,
    ReportExample,
    ReportFile,
    ReportFineTuning,
    ReportGoal,
    ReportLabel,
    ReportNeed,
    ReportNoneOfThese,
    ReportScores,
)


def report_of(model: TrainedModel, *, made: str, taken_down: int, files: Mapping[str, str], seen: Collection[str]) -> ModelReport:
    """Return a model's report. What was not measured for it, since it is older, is None or empty.

    Args:
        made: how it was made, for people.
        taken_down: pictures of its dataset that were taken down since.
        files: sha256 by name.
        seen: sha256s of pictures that everybody may see: examples on others are left out.
    """
    metrics = model.metrics
    labels = [ReportLabel.model_validate({"f1": None, **row}) for row in metrics.get("per_class", ())]
    codes = [label.code for label in labels]
    examples = {kind: _examples(metrics, kind, codes, seen) for kind in ("wrong", "right")}
    scores = {name: metrics.get(f"test_{name}", metrics.get(name)) for name in ReportScores.model_fields}
    confusion: list[list[int]] = metrics.get("confusion", [])
    return ModelReport(
        model_id=model.id,
        run_id=model.run_id,
        version_name=model.version_name,
        version_digest=model.version_digest,
        backbone=model.backbone,
        weights=model.weights,
        made=made,
        created_at=model.created_at,
        images=metrics.get("images") or {},
        taken_down=taken_down,
        scores=ReportScores.model_validate(scores | {"test_images": sum(map(sum, confusion))}),
        labels=labels,
        confusion=confusion,
        calibration=calibration_of(metrics),
        none_of_these=none_of_these_of(metrics),
        fine_tuning=fine_tuning_of(metrics),
        learning_curve=_curve(metrics, codes),
        **examples,
        files=[ReportFile(name=name, sha256=sha256) for name, sha256 in files.items()],
    )


def calibration_of(metrics: Mapping[str, Any]) -> ReportCalibration | None:
    """Read what `models.evaluate.judge_scores` wrote down; None for a model from before that."""
    found = metrics.get("calibration")
    return ReportCalibration.model_validate({"error_before": None, "rests_on": None, **found}) if found else None


def none_of_these_of(metrics: Mapping[str, Any]) -> ReportNoneOfThese | None:
    """Read from where on a model answers "none of these"; None where it cannot."""
    found = metrics.get("none_of_these")
    return ReportNoneOfThese.model_validate(found) if found else None


def fine_tuning_of(metrics: Mapping[str, Any]) -> ReportFineTuning | None:
    """Read how fine-tuning did beside the head alone; None where nothing was fine-tuned, or it was not written down."""
    found = metrics.get("fine_tuning")
    return ReportFineTuning.model_validate(found) if found else None


def _curve(metrics: Mapping[str, Any], codes: Sequence[str]) -> ReportCurve | None:
    found = metrics.get("learning_curve")
    if not found:
        return None
    goals = [
        ReportGoal(
            accuracy=goal["accuracy"],
            needs={code: ReportNeed.model_validate(need) for code, need in zip(codes, goal["needs"], strict=True)},
        )
        for goal in found["goals"]
    ]
    counts = dict(zip(codes, found["train_counts"], strict=True))
    return ReportCurve.model_validate({**found, "goals": goals, "train_counts": counts})


def _examples(metrics: Mapping[str, Any], kind: str, codes: Sequence[str], seen: Collection[str]) -> list[ReportExample]:
    return [
        ReportExample(
            sha256=row["sha256"],
            truth=codes[row["truth"]],
            said=codes[row["said"]],
            score=row["score"],
            evidence=row["evidence"],
            nearest=[sha256 for sha256 in row.get("nearest", ()) if sha256 in seen],
        )
        for row in metrics.get("examples", {}).get(kind, ())
        if row["sha256"] in seen
    ]
