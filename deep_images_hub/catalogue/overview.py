"""What is in the hub, at a glance: totals from the kept counts, and pictures to stand for a label."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query


@dataclass(frozen=True)
class HubTotals:
    """How much there is. Counted from the labels' kept counts, never from the pictures themselves."""

    images: int
    labels: int
    labels_with_images: int


@dataclass(frozen=True)
class SampleImage:
    """A picture that shows what a label is."""

    sha256: str
    width_px: int
    height_px: int


def hub_totals(connection: Connection) -> HubTotals:
    """Return how much there is."""
    row = connection.execute(
        text(
            "select coalesce(sum(own_images), 0) as images, count(*) as labels,"
            " count(*) filter (where own_images > 0) as labels_with_images from label_counts"
        )
    ).one()
    return HubTotals(images=int(row.images), labels=row.labels, labels_with_images=row.labels_with_images)


def cover_images(connection: Connection, *, label_ids: Collection[int]) -> dict[int, str]:
    """Return the sha256 of the newest picture of each label or of what is under it, by label id; labels without are left out."""
    rows = connection.execute(load_query("cover_images"), {"label_ids": list(label_ids)})
    return {row.label_id: row.sha256 for row in rows}


def sample_images(connection: Connection, *, label_ids: Collection[int], per_label: int) -> dict[int, list[SampleImage]]:
    """Return the newest few pictures of each label and of what is under it, by label id; labels without are left out."""
    samples: dict[int, list[SampleImage]] = {}
    for row in connection.execute(load_query("sample_images"), {"label_ids": sorted(set(label_ids)), "per_label": per_label}):
        samples.setdefault(row.label_id, []).append(SampleImage(row.sha256, row.width_px, row.height_px))
    return samples
