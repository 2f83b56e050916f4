"""Recipes, the versions that froze them, and the files made of versions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from deep_images_hub.catalogue.tables.shared import SHA256, created_at, id_column, metadata, one_of

recipes = Table(
    "recipes",
    metadata,
    id_column(),
    Column("digest", Text, CheckConstraint(f"digest ~ '{SHA256}'", name="digest_form"), nullable=False, unique=True),
    Column("body", JSONB, nullable=False),
    created_at(),
)

dataset_versions = Table(
    "dataset_versions",
    metadata,
    id_column(),
    Column("recipe_id", ForeignKey("recipes.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, CheckConstraint(f"digest ~ '{SHA256}'", name="digest_form"), nullable=False),
    Column("image_count", Integer, CheckConstraint("image_count > 0", name="not_empty"), nullable=False),
    Column("train_count", Integer, nullable=False),
    Column("validation_count", Integer, nullable=False),
    Column("test_count", Integer, nullable=False),
    Column("label_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False, comment="of all its stored pictures"),
    Column("created_by", ForeignKey("users.id")),
    created_at(),
    Column("patched_by", ForeignKey("dataset_versions.id"), index=True, comment="the same without what was taken down since"),
    Column(
        "credits_revision",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how often suppliers took their names back: exports then have other bytes, and the content is the same",
    ),
    UniqueConstraint("recipe_id", "digest"),
    CheckConstraint("image_count = train_count + validation_count + test_count", name="splits_add_up"),
)

# What a version contains never changes: a trigger refuses UPDATE and DELETE.
dataset_items = Table(
    "dataset_items",
    metadata,
    Column("version_id", ForeignKey("dataset_versions.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="by label code, then sha256"),
    Column("image_id", ForeignKey("images.id"), nullable=False, index=True),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("split", Text, nullable=False),
    Column("group_key", Text, nullable=False, comment="pictures of one group are never parted by a split"),
    PrimaryKeyConstraint("version_id", "position"),
    UniqueConstraint("version_id", "image_id"),
    one_of("split", ("train", "validation", "test")),
)

# Counted once, when a version is frozen: who looks at it need not wait for its pictures to be counted.
version_batches = Table(
    "version_batches",
    metadata,
    Column("version_id", ForeignKey("dataset_versions.id"), nullable=False),
    Column("batch_id", ForeignKey("batches.id"), nullable=False),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("split", Text, nullable=False),
    Column("image_count", Integer, nullable=False),
    Column("first_taken_at", DateTime(timezone=True), comment="of those whose supplier said; null: of none"),
    Column("last_taken_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("version_id", "batch_id", "label_id", "split"),
    one_of("split", ("train", "validation", "test")),
)

export_files = Table(
    "export_files",
    metadata,
    Column("etag", Text, primary_key=True, comment="of a version, a part of it, a format and a file: the same bytes every time"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, CheckConstraint(f"sha256 ~ '{SHA256}'", name="sha256_form"), nullable=False),
    created_at(),
)

# A row is there before its object, and goes after it: nobody who is killed leaves an object that nothing names.
kept_files = Table(
    "kept_files",
    metadata,
    id_column(),
    Column("etag", Text, nullable=False),
    Column("version_id", ForeignKey("dataset_versions.id"), nullable=False, index=True),
    Column("object_key", Text, nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False, comment="about, until it is kept"),
    Column("begun_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("kept_at", DateTime(timezone=True), comment="null: it is being made, or whoever made it was killed"),
    Column("used_at", DateTime(timezone=True), nullable=False, server_default=text("now()"), comment="to the minute"),
    Column("is_forgotten", Boolean, nullable=False, server_default=text("false"), comment="nobody gets it any more"),
)
Index(
    "uq_kept_files_etag",
    kept_files.c.etag,
    unique=True,
    postgresql_where=text("kept_at is not null and not is_forgotten"),
)
