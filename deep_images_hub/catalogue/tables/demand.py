"""Who wants what."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from deep_images_hub.catalogue.tables.shared import created_at, id_column, metadata

demands = Table(
    "demands",
    metadata,
    id_column(),
    Column("label_id", ForeignKey("labels.id"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("target_images", Integer, CheckConstraint("target_images > 0", name="target_positive"), nullable=False),
    Column("note", Text),
    created_at(),
    UniqueConstraint("label_id", "user_id"),
)

watches = Table(
    "watches",
    metadata,
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("label_id", ForeignKey("labels.id"), nullable=False, index=True),
    created_at(),
    PrimaryKeyConstraint("user_id", "label_id"),
)
