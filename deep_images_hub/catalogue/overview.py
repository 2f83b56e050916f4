"""What is in the hub, at a glance: totals from the kept counts, and a picture to stand for a label."""

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
