"""What is being sent through the portal and is no batch yet. Its rows are gone once it is one."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)

from deep_images_hub.catalogue.tables.shared import SHA256, created_at, id_column, metadata, one_of
from deep_images_hub.licences import LICENCES

uploads = Table(
    "uploads",
    metadata,
    id_column(),
    Column("key", Text, nullable=False, unique=True, comment="of the batch that it becomes"),
    Column("supplier_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("licence", Text, nullable=False),
    Column("attribution", Text),
    Column("place_query", Text, comment="the place that the supplier named"),
    Column("place_id", ForeignKey("places.id"), comment="what it stands for"),
    Column("uses_positions", Boolean, nullable=False, comment="the photographs say where they were taken, and it may be known"),
    Column("next_position", Integer, nullable=False, server_default=text("0")),
    Column("sealed_at", DateTime(timezone=True), comment="when nothing could be added any more: it is becoming a batch"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    created_at(),
    one_of("licence", LICENCES),
)

upload_files = Table(
    "upload_files",
    metadata,
    Column("upload_id", ForeignKey("uploads.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("filename", Text, nullable=False, comment="as the supplier named it; shown, never opened"),
    Column("size_bytes", BigInteger, CheckConstraint("size_bytes > 0", name="not_empty"), nullable=False),
    Column("sha256", Text, CheckConstraint(f"sha256 ~ '{SHA256}'", name="sha256_form"), comment="as the sender says"),
    Column("received_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("object_key", Text, unique=True, comment="where it lies once it is whole"),
    Column("landed_sha256", Text, comment="of what lies there, which no longer says where it was taken"),
    Column("taken_at", DateTime(timezone=True)),
    Column("place_id", ForeignKey("places.id"), comment="the known place that is nearest to where it was taken"),
    Column("is_examined", Boolean, nullable=False, server_default=text("false"), comment="the portal looked at it"),
    Column("expected_reason", Text, comment="why intake would refuse it"),
    PrimaryKeyConstraint("upload_id", "position"),
    CheckConstraint("expected_reason is null or is_examined", name="reason_was_found"),
    CheckConstraint("received_bytes between 0 and size_bytes", name="received_range"),
    CheckConstraint("object_key is null or received_bytes = size_bytes", name="landed_is_whole"),
)

upload_parts = Table(
    "upload_parts",
    metadata,
    Column("upload_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("start_byte", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, CheckConstraint("size_bytes > 0", name="not_empty"), nullable=False),
    Column("object_key", Text, nullable=False, unique=True),
    PrimaryKeyConstraint("upload_id", "position", "start_byte"),
    ForeignKeyConstraint(
        ["upload_id", "position"],
        ["upload_files.upload_id", "upload_files.position"],
        name="fk_upload_parts_upload_files",
        ondelete="CASCADE",
    ),
)
