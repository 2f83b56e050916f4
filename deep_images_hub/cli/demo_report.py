"""What the demo says at its end: a summary for people, and one JSON object for programs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deep_images_hub.catalogue.batches import Funnel
from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.catalogue.models import TrainedModel
from deep_images_hub.cli.demo_accounts import DemoAccounts
from deep_images_hub.predictions import Answer

SCRATCH_WEIGHTS = "scratch"


@dataclass(frozen=True)
class DemoReport:
    """What came of the demo.

    Attributes:
        crowd: the demo's own: the begin of its batches' keys.
        funnel: of it.
        dataset_file: the downloaded zip.
        model_file: the downloaded `.keras` file; `onnx_file` lies beside it.
        question: a picture of the test split that the model was asked about, by label name, with its answers.
        seconds: by stage.
    """

    crowd: str
    funnel: Funnel
    version: DatasetVersion
    dataset_file: Path
    model: TrainedModel
    model_file: Path
    onnx_file: Path
    question: str
    answers: list[Answer]
    seconds: Mapping[str, float]

    @property
    def accuracy(self) -> float:
        """Top-1 accuracy on the test split, 0..1."""
        return float(self.model.metrics["test_top1"])

    def as_json(self) -> str:
        """Return the report as one line of JSON. submitted = accepted + the rejected + those in review."""
        return json.dumps(
            {
                "submitted": self.funnel.submitted,
                "accepted": self.funnel.accepted,
                "rejected": dict(self.funnel.rejected),
                "in_review": dict(self.funnel.review),
                "labels": self.version.label_count,
                "dataset": {
                    "digest": self.version.digest,
                    "images": self.version.image_count,
                    "path": str(self.dataset_file),
                },
                "model": {
                    "accuracy": round(self.accuracy, 4),
                    "path": str(self.model_file),
                    "onnx": str(self.onnx_file),
                    "backbone": self.model.backbone,
                    "weights": self.model.weights,
                },
                "seconds": dict(self.seconds),
            }
        )


def summary(report: DemoReport, accounts: DemoAccounts, portal_url: str) -> str:
    """Return the report for people."""
    funnel, version, model = report.funnel, report.version, report.model
    low, high = model.metrics["test_top1_interval"]
    trained = "from scratch" if model.weights == SCRATCH_WEIGHTS else "on pretrained features"
    lines = [
        "",
        (
            f"{funnel.submitted:,} photographs were sent: {funnel.accepted:,} accepted, {_total(funnel.rejected):,} rejected, "
            f"{_total(funnel.review):,} in review."
        ),
        *(f"  {count:>6,}  {reason}" for reason, count in sorted(funnel.rejected.items(), key=lambda entry: -entry[1])),
        *(f"  {count:>6,}  in review: {reason}" for reason, count in sorted(funnel.review.items(), key=lambda entry: -entry[1])),
        "",
        f"Dataset    {version.image_count:,} pictures of {version.label_count} labels, digest {version.digest[:12]}",
        f"           {report.dataset_file}",
        (
            f"Model      {model.backbone}, {trained}: {report.accuracy:.1%} of {version.test_count} test pictures right "
            f"(95 % interval {low:.1%} to {high:.1%}; always naming the commonest label: {model.metrics['majority_top1']:.1%})"
        ),
        f"           {report.model_file}",
        f"Asked      about a picture of {report.question}, it says "
        + ", ".join(f"{answer.label_name} {answer.score:.0%}" for answer in report.answers),
        "",
        f"Portal     {portal_url}",
        *(f"           {role:<9}  {accounts.emails[role]:<30} {password}" for role, password in accounts.passwords.items()),
    ]
    return "\n".join(lines)


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
