"""The model card: README.md of a model, for people, with the YAML front matter that model hubs read. Pure."""

import json
from typing import Any

from deep_images_hub.datasets.card import plain_markdown
from deep_images_hub.model_reports.confusions import largest_confusions, matrix_cells
from deep_images_hub.model_reports.words import fine_tuning_words, none_of_these_words, percent, purpose_words, scores_words
from deep_images_hub.wire.model_reports import ModelReport

_WORST_LABELS = 10
_CONFUSIONS = 10


def model_card(report: ModelReport, *, url: str) -> str:
    """Write the card of a model.

    Args:
        url: of its page.
    """
    lines = [
        "---",
        # A JSON value is a YAML value, quoted whatever it holds.
        *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in _front(report).items()),
        "---",
        "",
        f"# {plain_markdown(report.version_name)}: {plain_markdown(report.backbone)}",
        "",
        f"A baseline that tells {len(report.labels)} labels apart: {report.made}. Its page: <{url}>",
        "",
        "## What it is for",
        "",
        purpose_words(report.none_of_these),
        "",
        (
            "Input: one photograph, RGB 0..255; short side resized to 8/7 of the network's side, middle cut out. Labels and "
            "preprocessing are inside the model's files."
        ),
        "",
        *_taken_down(report.taken_down),
        *_training(report),
        *_evaluation(report),
        *_limits(report),
        *_files(report),
    ]
    return "\n".join(lines)


def _front(report: ModelReport) -> dict[str, Any]:
    front: dict[str, Any] = {
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "keras", "onnx", report.backbone, "deep-images-hub"],
        "metrics": ["accuracy", "f1"],
    }
    measured = {"accuracy": report.scores.top1, "f1": report.scores.macro_f1}
    metrics = [
        {"type": name, "value": round(value, 4)} | ({"name": "macro F1"} if name == "f1" else {})
        for name, value in measured.items()
        if value is not None
    ]
    dataset = {"name": report.version_name, "type": "imagefolder", "split": "test", "revision": report.version_digest}
    results = [{"task": {"type": "image-classification"}, "dataset": dataset, "metrics": metrics}] if metrics else []
    return front | {"model-index": [{"name": f"{report.backbone}-{report.model_id}", "results": results}]}


def _taken_down(count: int) -> list[str]:
    if not count:
        return []
    return [f"**{count:,} pictures of its dataset were taken down since it was trained. Train another one.**", ""]


def _training(report: ModelReport) -> list[str]:
    counts = ", ".join(f"{count:,} {split}" for split, count in report.images.items())
    return [
        "## What it learnt from",
        "",
        f"- Dataset: {plain_markdown(report.version_name)}, digest `{report.version_digest}`"
        + (f"; pictures: {counts}" if counts else ""),
        f"- Network: `{report.backbone}`, first weights `{report.weights}`",
        *([f"- {fine_tuning_words(report.fine_tuning)}"] if report.fine_tuning else []),
        f"- Made: {report.created_at:%Y-%m-%d %H:%M} UTC, training run {report.run_id}",
        "",
    ]


def _evaluation(report: ModelReport) -> list[str]:
    scores = report.scores
    interval = (
        f" ({percent(scores.top1_interval[0])} to {percent(scores.top1_interval[1])}, 95 %)" if scores.top1_interval else ""
    )
    rows = [
        ("Right", scores.top1, interval),
        (f"Right within its {scores.k} likeliest answers", scores.top_k, ""),
        ("Right, or of the right family", scores.family_top1, ""),
        ("Mean F1 of its labels", scores.macro_f1, ""),
        ("Right by always naming the commonest label", scores.majority_top1, ""),
        ("Right with random features of coarse grey pictures", scores.random_features_top1, ""),
    ]
    lines = ["## How good it is", "", f"On {scores.test_images:,} pictures of the test split, which it had never seen:", ""]
    lines += [
        "| | |",
        "| --- | ---: |",
        *(f"| {name} | {percent(value)}{more} |" for name, value, more in rows if value is not None),
    ]
    if calibration := report.calibration:
        lines += ["", f"{scores_words(calibration)} To be right:", ""]
        lines += [
            f"- {row.precision:.0%} of the time, take scores from {percent(row.score)} on: {percent(row.share)} of its answers"
            for row in calibration.thresholds
            if row.score is not None
        ]
    if none_of_these := report.none_of_these:
        lines += ["", none_of_these_words(none_of_these)]
    if curve := report.learning_curve:
        low, high = curve.twice_interval
        lines += [
            "",
            f"With twice the pictures it is expected to be right on {percent(curve.twice)} ({percent(low)} to {percent(high)}).",
        ]
    return [*lines, ""]


def _limits(report: ModelReport) -> list[str]:
    if not report.labels:
        return []
    worst = sorted(report.labels, key=lambda label: (label.recall is None, label.recall or 0.0, label.name))[:_WORST_LABELS]
    lines = ["## Where it is weak", "", "| Label | Test pictures | Found | Right when named |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {plain_markdown(label.name)} | {label.support} | {percent(label.recall)} | {percent(label.precision)} |"
        for label in worst
    ]
    found = largest_confusions(matrix_cells(report.confusion), limit=_CONFUSIONS)
    if found:
        names = [plain_markdown(label.name) for label in report.labels]
        lines += ["", "What it takes for what:", ""]
        lines += [f"- {names[cell.row]}, taken for {names[cell.column]}: {cell.count}" for cell in found]
    return [*lines, ""]


def _files(report: ModelReport) -> list[str]:
    if not report.files:
        return []
    return ["## Files", "", *(f"- `{file.name}`: sha256 `{file.sha256}`" for file in report.files), ""]
