"""A model's metrics as its page shows them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deep_images_hub.catalogue.models import TrainedModel
from webapp.charts import MatrixCell, matrix_cells

# How a model was made, said as what it is: a network trained on a few hundred rendered pictures is no ImageNet network.
_WEIGHTS_WORDS = {
    "scratch": "trained from scratch on these pictures alone, without pretrained weights",
    "imagenet": "a head on features of ImageNet's pretrained weights",
}


@dataclass(frozen=True)
class LabelReport:
    """How a model does on one label of the test split. A share is None where there is nothing to divide by."""

    code: str
    name: str
    precision: float | None
    recall: float | None
    test_images: int


@dataclass(frozen=True)
class ModelReport:
    """What a model's page shows.

    Attributes:
        made: how it was made, in words.
        top1: share of right answers on the test split; None where it was not measured.
        interval: its 95 % confidence interval.
        majority_top1: what always naming the commonest label would reach.
        test_images: pictures of the test split.
        names: of its labels by class index.
        labels: one for each, by recall from the lowest.
        cells: of the confusion matrix.
    """

    made: str
    top1: float | None
    interval: tuple[float, float] | None
    majority_top1: float | None
    test_images: int | None
    names: list[str]
    labels: list[LabelReport]
    cells: list[MatrixCell]


def model_report(model: TrainedModel, names: Mapping[str, str]) -> ModelReport:
    """Read a model's metrics.

    Args:
        names: of its labels by code.
    """
    metrics: dict[str, Any] = model.metrics
    confusion: list[list[int]] = metrics.get("confusion", [])
    interval = metrics.get("test_top1_interval")
    labels = (
        [_label_report(index, code, names[code], confusion) for index, code in enumerate(model.label_codes)] if confusion else []
    )
    return ModelReport(
        made=_WEIGHTS_WORDS.get(model.weights, "a head on features of pretrained weights"),
        top1=metrics.get("test_top1"),
        interval=(interval[0], interval[1]) if interval else None,
        majority_top1=metrics.get("majority_top1"),
        test_images=sum(map(sum, confusion)) if confusion else None,
        names=[names[code] for code in model.label_codes],
        labels=sorted(labels, key=lambda label: (label.recall is None, label.recall or 0.0, label.name)),
        cells=matrix_cells(confusion),
    )


def _label_report(index: int, code: str, name: str, confusion: list[list[int]]) -> LabelReport:
    right, of_label, answered = confusion[index][index], sum(confusion[index]), sum(row[index] for row in confusion)
    return LabelReport(
        code=code,
        name=name,
        precision=right / answered if answered else None,
        recall=right / of_label if of_label else None,
        test_images=of_label,
    )
