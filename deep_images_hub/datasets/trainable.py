"""Whether a dataset is worth training on, and which of its labels have too few pictures for that. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deep_images_hub.datasets.card import LabelSplitCount
from deep_images_hub.training import MIN_LABELS, MIN_TRAIN_IMAGES_PER_LABEL

_SHOWN_LABELS = 3


@dataclass(frozen=True)
class ShortLabel:
    """A label with too few pictures to learn from: how many there are in the split `train`, and how many are needed there."""

    code: str
    name: str
    have: int
    need: int


def short_labels(counts: Sequence[LabelSplitCount], *, empty: Mapping[str, str] | None = None) -> list[ShortLabel]:
    """Return the labels of which too few pictures could be learnt from, by name.

    Args:
        counts: of a dataset.
        empty: labels that were asked for and have no picture at all: names by code.
    """
    train_images = Counter({count.label_code: count.image_count for count in counts if count.split == "train"})
    names = {count.label_code: count.label_name for count in counts} | dict(empty or {})
    short = [
        ShortLabel(code, name, train_images[code], MIN_TRAIN_IMAGES_PER_LABEL)
        for code, name in names.items()
        if train_images[code] < MIN_TRAIN_IMAGES_PER_LABEL
    ]
    return sorted(short, key=lambda label: (label.name.casefold(), label.code))


def training_obstacle(counts: Sequence[LabelSplitCount]) -> str | None:
    """Say why a model of a version with these pictures is not worth starting; None: it is."""
    labels = {count.label_code for count in counts}
    if len(labels) < MIN_LABELS:
        return f"Training needs at least {MIN_LABELS} labels to tell apart; this dataset has {len(labels)}. Freeze one with more."
    if short := [label.name for label in short_labels(counts)]:
        listed = ", ".join(short[:_SHOWN_LABELS])
        more = f" and {len(short) - _SHOWN_LABELS} more" if len(short) > _SHOWN_LABELS else ""
        return (
            f"Training needs at least {MIN_TRAIN_IMAGES_PER_LABEL} pictures of each label to learn from; too few: {listed}{more}."
        )
    if not any(count.split == "test" for count in counts):
        return "No picture is left to test a model on: every label has a single batch, or the split gives the test nothing."
    return None
