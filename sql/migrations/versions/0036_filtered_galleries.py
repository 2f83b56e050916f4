"""Filtered galleries are read from indexes that have what a filter asks for, without looking at the pictures' rows.

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = "0036"
down_revision: str | None = "0035"

_FOUND_BY = ("place_id", "supplier_id", "licence")
_ORDERS = ("quality_score", "short_side_px")
_TRAITS = (
    "label_id", "place_id", "supplier_id", "licence", "quality_score", "short_side_px", "taken_at", "received_at", "is_reviewed",
)  # fmt: skip


def upgrade() -> None:
    for column in _FOUND_BY:
        op.execute(f"drop index ix_shown_images_{column}")
        op.execute(f"create index ix_shown_images_{column}_label_id on shown_images ({column}, label_id)")
    for key in _ORDERS:
        others = ", ".join(column for column in _TRAITS if column != key)
        op.execute(f"drop index ix_shown_images_{key}_image_id")
        op.execute(f"create index ix_shown_images_{key}_image_id on shown_images ({key}, image_id) include ({others})")
    others = ", ".join(column for column in _TRAITS if column != "label_id")
    op.execute("drop index ix_shown_images_reviewed")
    op.execute(f"create index ix_shown_images_reviewed on shown_images (label_id, image_id) include ({others}) where is_reviewed")
