"""What galleries read: the pictures that everybody sees, and how many have what."""

from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from deep_images_hub.catalogue.tables.shared import metadata

# Pictures that everybody sees, with all that galleries filter and sort by. Triggers on `image_labels` and `verdicts` keep it, and
# note in `facet_changes` what came and went; `label_counts` folds that into `facet_counts`. Whoever reads counts adds what is not
# folded yet.
_GALLERY_ORDERS = ("received_at", "quality_score", "short_side_px")
_TRAITS = (
    "label_id", "place_id", "supplier_id", "licence", "quality_score", "short_side_px", "taken_at", "received_at", "is_reviewed",
)  # fmt: skip


def _with_traits(name: str, *keys: str, **options: Any) -> Index:
    """Return an index that has all that a filter asks for: pictures in order of a score lie anywhere, and so do reviewed ones."""
    return Index(name, *keys, postgresql_include=[column for column in _TRAITS if column not in keys], **options)


shown_images = Table(
    "shown_images",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("label_id", Integer, nullable=False),
    Column("place_id", BigInteger),
    Column("supplier_id", BigInteger, nullable=False),
    Column("licence", Text, nullable=False),
    Column("quality_score", REAL, nullable=False),
    Column("short_side_px", Integer, nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="when the hub made the picture"),
    Column("is_reviewed", Boolean, nullable=False, comment="an operator looked at it last, and let it in"),
    # One pair for each order of a gallery: of a label, and of everything. The others find what is rare.
    *(Index(f"ix_shown_images_label_id_{key}_image_id", "label_id", key, "image_id") for key in _GALLERY_ORDERS),
    Index("ix_shown_images_received_at_image_id", "received_at", "image_id"),
    *(_with_traits(f"ix_shown_images_{key}_image_id", key, "image_id") for key in ("quality_score", "short_side_px")),
    *(Index(f"ix_shown_images_{column}_label_id", column, "label_id") for column in ("place_id", "supplier_id", "licence")),
    Index("ix_shown_images_taken_at", "taken_at"),
    _with_traits("ix_shown_images_reviewed", "label_id", "image_id", postgresql_where=text("is_reviewed")),
)

facet_changes = Table(
    "facet_changes",
    metadata,
    Column("label_id", Integer, nullable=False),
    Column("facet", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("images", BigInteger, nullable=False, comment="how many came; below 0: went"),
)

# How many pictures of a label have a value, such as a licence or a month: its own, and with everything under it.
facet_counts = Table(
    "facet_counts",
    metadata,
    Column("label_id", ForeignKey("labels.id"), comment="null: of the whole hub"),
    Column("facet", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("own_images", BigInteger, nullable=False),
    Column("subtree_images", BigInteger, nullable=False),
    UniqueConstraint("label_id", "facet", "value", postgresql_nulls_not_distinct=True),
)
