"""A model's metrics as its page shows them. Pure."""

from dataclasses import dataclass
from typing import Any

from deep_images_hub.catalogue.models import TrainedModel
from deep_images_hub.model_reports.confusions import MatrixCell, matrix_cells
from deep_images_hub.model_reports.report import fine_tuning_of
from deep_images_hub.model_reports.words import fine_tuning_words, made_words


@dataclass(frozen=True)
class LabelReport:
    """How a model does on one label of the test split. A share is None where there is nothing to divide by."""

    code: str
    name: str
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True)
class ModelReport:
    """What a model's page shows.

    Attributes:
        made: how it was made, in words.
        fine_tuning: how that did beside the head alone, in words; None where nothing was fine-tuned.
        top1: share of right answers on the test split; None where nothing was measured.
        interval: its 95 % confidence interval.
        top_k: share of test pictures whose label is among the `k` likeliest answers.
        family_top1: share of answers that are right or of the right family; None where all labels are of one.
        macro_f1: mean F1 of the labels.
        majority_top1: what always naming the commonest label would reach.
        random_features_top1: what the same kind of head reaches on random features (`models.random_features`).
        test_images: pictures of the test split.
        names: of its labels by class index.
        labels: one for each, by recall from the lowest.
        cells: of the confusion matrix.
    """

    made: str
    fine_tuning: str | None
    top1: float | None
    interval: tuple[float, float] | None
    top_k: float | None
    k: int | None
    family_top1: float | None
    macro_f1: float | None
    majority_top1: float | None
    random_features_top1: float | None
    test_images: int
    names: list[str]
    labels: list[LabelReport]
    cells: list[MatrixCell]


def model_report(model: TrainedModel) -> ModelReport:
    """Read the metrics that training wrote down (`models.evaluate.judge`)."""
    metrics: dict[str, Any] = model.metrics
    confusion: list[list[int]] = metrics.get("confusion", [])
    interval = metrics.get("test_top1_interval")
    labels = [
        LabelReport(row["code"], row["name"], row["precision"], row["recall"], row["support"])
        for row in metrics.get("per_class", [])
    ]
    return ModelReport(
        made=made_words(model.weights, metrics.get("mode")),
        fine_tuning=None if (found := fine_tuning_of(metrics)) is None else fine_tuning_words(found),
        top1=metrics.get("test_top1"),
        interval=(interval[0], interval[1]) if interval else None,
        top_k=metrics.get("test_top_k"),
        k=metrics.get("k"),
        family_top1=metrics.get("family_top1"),
        macro_f1=metrics.get("macro_f1"),
        majority_top1=metrics.get("majority_top1"),
        random_features_top1=metrics.get("random_features_top1"),
        test_images=sum(map(sum, confusion)),
        names=[label.name for label in labels],
        labels=sorted(labels, key=lambda label: (label.recall is None, label.recall or 0.0, label.name)),
        cells=matrix_cells(confusion),
    )
