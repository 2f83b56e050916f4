"""Where in a picture a model finds what it says, as shades to lay over the rest of the picture. Pure.

Shades and not colours: what a picture shows may have any colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deep_images_hub.catalogue.images import Picture
from deep_images_hub.catalogue.models import TrainedModel
from deep_images_hub.images.network_input import seen_box

# What speaks least for an answer can still be made out.
_MAX_OPACITY = 0.62


@dataclass(frozen=True)
class Shade:
    """A place, in pixels of the picture. opacity: the less it speaks for the answer, the more of it is hidden."""

    x: float
    y: float
    width: float
    height: float
    opacity: float


@dataclass(frozen=True)
class EvidenceMap:
    """The places of a picture, and the part of it that the model saw.

    Attributes:
        width, height: of the picture.
        left, top, side: of the square that the model saw.
        frame_opacity: of the shade on what it did not see.
    """

    width: int
    height: int
    left: float
    top: float
    side: float
    shades: tuple[Shade, ...]
    frame_opacity: float = _MAX_OPACITY


@dataclass(frozen=True)
class Example:
    """An answer on a picture of the test split.

    Attributes:
        truth, said: names of the label that it has and of the one that was answered.
        nearest: training pictures that a wrong answer can be traced to.
    """

    picture: Picture
    truth: str
    said: str
    score: float
    map: EvidenceMap
    nearest: tuple[Picture, ...]


def evidence_map(evidence: ArrayLike, *, width_px: int, height_px: int) -> EvidenceMap:
    """Lay shades over a picture: the place that speaks most for the answer has none.

    Args:
        evidence: (rows, columns) of the part of the picture that the network saw; below 0 a place speaks against the answer.
        width_px: of the whole picture, as is `height_px`.
    """
    for_it = np.maximum(np.asarray(evidence, np.float64), 0)
    shares = for_it / (for_it.max() or 1.0)
    rows, columns = shares.shape
    left, top, side = seen_box(width_px, height_px)
    shades = tuple(
        Shade(
            x=round(left + column * side / columns, 1),
            y=round(top + row * side / rows, 1),
            width=round(side / columns, 1),
            height=round(side / rows, 1),
            opacity=round(_MAX_OPACITY * (1 - shares[row, column]), 2),
        )
        for row in range(rows)
        for column in range(columns)
    )
    return EvidenceMap(width_px, height_px, left, top, side, shades)


def example_sha256s(model: TrainedModel) -> set[str]:
    """Return the pictures that a model's examples name, nearest ones among them."""
    rows = [row for rows in model.metrics.get("examples", {}).values() for row in rows]
    return {row["sha256"] for row in rows} | {sha256 for row in rows for sha256 in row.get("nearest", ())}


def examples(model: TrainedModel, kind: str, pictures: dict[str, Picture], names: Sequence[str]) -> list[Example]:
    """Return a model's `wrong` or `right` examples, of the pictures that are still to be seen.

    Args:
        pictures: by sha256.
        names: of labels, by class index.
    """
    return [
        Example(
            picture=(picture := pictures[row["sha256"]]),
            truth=names[row["truth"]],
            said=names[row["said"]],
            score=row["score"],
            map=evidence_map(row["evidence"], width_px=picture.width_px, height_px=picture.height_px),
            nearest=tuple(pictures[sha256] for sha256 in row.get("nearest", ()) if sha256 in pictures),
        )
        for row in model.metrics.get("examples", {}).get(kind, ())
        if row["sha256"] in pictures
    ]
