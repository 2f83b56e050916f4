"""How well a picture agrees with its label: what a network takes it for, and which known pictures lie nearest. Pure rules.

The score is a sum of evidence, squeezed into 0..1: 0.5 says that nothing speaks for or against the label. Known pictures say more
than ImageNet's classes, so as soon as there are enough, classes only add to them. The scales were chosen on real photographs; see
docs/experiments.md, "Wrong labels".
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

SCORE_DIGITS = 4

# A picture whose label's pictures are so much nearer (cosine) than those of the nearest other label has e times better odds.
_MARGIN_SCALE = 0.05
# The share of ImageNet's classes that speaks neither for nor against the label: honest pictures have less in one case of five.
_NEUTRAL_SHARE = 0.3
_SMOOTHING = 0.05
# How much the share counts beside known pictures, and alone.
_WEIGHT_BESIDE, _WEIGHT_ALONE = 0.4, 1.2
_CLASSES_NAMED, _PICTURES_NAMED = 3, 3


@dataclass(frozen=True)
class SeenClass:
    """A class of ImageNet that a network takes a picture for, with its probability (0..1)."""

    index: int
    probability: float


@dataclass(frozen=True)
class Neighbour:
    """A known picture near another one. similarity: cosine, -1..1."""

    label_name: str
    sha256: str
    similarity: float


@dataclass(frozen=True)
class Nearness:
    """How near the known pictures of a picture's label are, and those of the nearest other label.

    Attributes:
        own: mean cosine with the nearest pictures of the label and of all under it.
        other: the same of the label whose pictures are nearest among those that are neither above nor under it.
        other_label: its name.
        nearest: the nearest known pictures of any label, nearest first.
    """

    own: float
    other: float
    other_label: str
    nearest: Sequence[Neighbour]


def seen_share(seen: Sequence[SeenClass], kin: Collection[int]) -> float | None:
    """Return how much of what a network sees fits a label, 0..1: its classes against the most probable other one.

    Args:
        seen: the most probable classes of a picture; empty: the network has no classification head.
        kin: the label's classes and those of the labels above it; empty: ImageNet has none that fits.
    """
    if not seen or not kin:
        return None
    fitting = sum(one.probability for one in seen if one.index in kin)
    other = max((one.probability for one in seen if one.index not in kin), default=0.0)
    return (fitting + _SMOOTHING) / (fitting + other + _SMOOTHING)


def agreement_score(nearness: Nearness | None, share: float | None) -> float | None:
    """Return how well a picture agrees with its label, 0..1, lower is worse; None where nothing can be said.

    Args:
        nearness: None where the label has too few known pictures.
        share: from `seen_share`.
    """
    if nearness is None and share is None:
        return None
    evidence = 0.0 if nearness is None else (nearness.own - nearness.other) / _MARGIN_SCALE
    if share is not None:
        weight = _WEIGHT_ALONE if nearness is None else _WEIGHT_BESIDE
        evidence += weight * math.log((share + 0.01) / _NEUTRAL_SHARE)
    return round(1 / (1 + math.exp(-evidence)), SCORE_DIGITS)


def agreement_detail(
    label_name: str, seen: Sequence[SeenClass], class_names: Sequence[str], share: float | None, nearness: Nearness | None
) -> str:
    """Say in plain words what a score is made of.

    Args:
        class_names: of ImageNet's classes, by index.
    """
    parts = []
    if seen:
        named = ", ".join(f"{class_names[one.index]} ({one.probability:.0%})" for one in seen[:_CLASSES_NAMED])
        fit = "; ImageNet has no class for the label" if share is None else f"; {share:.0%} of that fits the label"
        parts.append(f"The network sees {named}{fit}.")
    else:
        parts.append("The network has no classes.")
    if nearness is None:
        parts.append(f"{label_name} has too few known pictures of other batches to compare with.")
    else:
        order = "nearer than" if nearness.own > nearness.other else "farther than"
        nearest = ", ".join(f"{one.label_name} ({one.sha256[:12]})" for one in nearness.nearest[:_PICTURES_NAMED])
        parts.append(
            f"Known pictures of {label_name} are {order} those of {nearness.other_label} (similarity {nearness.own:.2f}, "
            f"{nearness.other:.2f}). Nearest: {nearest}."
        )
    return " ".join(parts)
