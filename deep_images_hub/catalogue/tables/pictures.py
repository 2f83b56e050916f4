"""Pictures, and what is known of them."""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA

from deep_images_hub.catalogue.tables.shared import SHA256, created_at, id_column, metadata, one_of
from deep_images_hub.images.descriptor import GRID_BYTES
from deep_images_hub.images.difference_hash import BANDS, HASH_BITS
from deep_images_hub.picture_reports import MAX_NOTE_LENGTH, REPORT_OUTCOMES, REPORT_REASONS

images = Table(
    "images",
    metadata,
    id_column(),
    Column(
        "sha256",
        Text,
        CheckConstraint(f"sha256 ~ '{SHA256}'", name="sha256_form"),
        nullable=False,
        unique=True,
        comment="of the bytes as sent",
    ),
    Column("batch_id", ForeignKey("batches.id"), nullable=False, index=True),
    Column("format", Text, nullable=False, comment="jpeg, png, webp, ...: of the bytes as sent"),
    Column("size_bytes", BigInteger, nullable=False, comment="of the bytes as sent"),
    Column(
        "picture_size_bytes",
        BigInteger,
        nullable=False,
        comment="of the stored picture: a download's length is known before it starts",
    ),
    Column(
        "picture_sha256",
        Text,
        CheckConstraint(f"picture_sha256 ~ '{SHA256}'", name="picture_sha256_form"),
        comment="of the stored picture; null: taken in before this was kept",
    ),
    Column("picture_crc32", BigInteger, comment="likewise, as zip and gzip reckon it"),
    Column("width_px", Integer, nullable=False, comment="of the original, upright"),
    Column("height_px", Integer, nullable=False),
    Column("original_key", Text, nullable=False),
    Column("picture_key", Text, nullable=False),
    Column("thumbnail_key", Text, nullable=False),
    Column("quality_score", REAL, CheckConstraint("quality_score between 0 and 1", name="quality_score_range"), nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    created_at(),
    Column("taken_down_at", DateTime(timezone=True), comment="since then nobody but operators may see it"),
    CheckConstraint("width_px > 0 and height_px > 0", name="has_pixels"),
    CheckConstraint("num_nonnulls(picture_sha256, picture_crc32) in (0, 2)", name="picture_checksums"),
    Index("ix_images_taken_down", "id", postgresql_where=text("taken_down_at is not null")),
)

# What people say is wrong with a picture that is to be seen, and what an operator made of it.
picture_reports = Table(
    "picture_reports",
    metadata,
    id_column(),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, CheckConstraint(f"length(note) <= {MAX_NOTE_LENGTH}", name="note_length")),
    created_at(),
    Column("outcome", Text, comment="null: no operator has decided yet"),
    Column("decided_by", ForeignKey("users.id")),
    Column("decided_at", DateTime(timezone=True)),
    one_of("reason", REPORT_REASONS),
    one_of("outcome", REPORT_OUTCOMES),
    CheckConstraint("num_nulls(outcome, decided_by, decided_at) in (0, 3)", name="decided_by_somebody"),
    Index("uq_picture_reports_open", "image_id", "user_id", unique=True, postgresql_where=text("outcome is null")),
    Index("ix_picture_reports_open", "id", postgresql_where=text("outcome is null")),
)

# How a picture looks: `images/descriptor.py`. Six indexes, one for each band of each hash, find hashes that agree in a band but
# for one bit, without looking into the table.
_FRAMES = ("whole", "inner")
descriptors = Table(
    "descriptors",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("whole_hash", BigInteger, nullable=False, comment="difference hash of the picture, 60 bits"),
    Column("inner_hash", BigInteger, nullable=False, comment="that of the picture without its margins"),
    Column("grid", BYTEA, nullable=False, comment="24 x 24 grey levels"),
    *(CheckConstraint(f"{frame}_hash between 0 and {(1 << HASH_BITS) - 1}", name=f"{frame}_hash_range") for frame in _FRAMES),
    CheckConstraint(f"octet_length(grid) = {GRID_BYTES}", name="grid_length"),
    *(
        Index(
            f"ix_descriptors_{frame}_{band}",
            text(f"hash_band({frame}_hash, {band})"),
            postgresql_include=[f"{frame}_hash", "image_id"],
        )
        for frame in _FRAMES
        for band in range(BANDS)
    ),
)

# Only pictures that have near-duplicates are here. A group is named by its oldest picture, which is a member of it.
duplicate_groups = Table(
    "duplicate_groups",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("group_id", ForeignKey("images.id"), nullable=False, index=True, comment="the oldest picture of the group"),
    CheckConstraint("group_id <= image_id", name="oldest_first"),
)

LABEL_SET = "main"
image_labels = Table(
    "image_labels",
    metadata,
    id_column(),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("label_set", Text, nullable=False, server_default=LABEL_SET),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("said_by", Text, nullable=False),
    Column("user_id", ForeignKey("users.id")),
    Column("confidence", REAL, CheckConstraint("confidence between 0 and 1", name="confidence_range")),
    Column("is_current", Boolean, nullable=False, server_default=text("true")),
    created_at(),
    one_of("said_by", ("supplier", "crowd", "network", "operator")),
    Index("ix_image_labels_image_id", "image_id"),
    Index("uq_image_labels_current", "image_id", "label_set", unique=True, postgresql_where=text("is_current")),
    Index(
        "ix_image_labels_gallery",
        "label_id",
        "image_id",
        postgresql_where=text(f"is_current and label_set = '{LABEL_SET}'"),
    ),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("model", Text, nullable=False, comment="backbone and digest of its weights"),
    Column("features", HALFVEC(), nullable=False, comment="globally average-pooled activations"),
    created_at(),
    Column(
        "class_indexes",
        ARRAY(SmallInteger),
        comment="of ImageNet's classes, most probable first; null: its weights have no classification head",
    ),
    Column("class_probabilities", ARRAY(REAL)),
    PrimaryKeyConstraint("image_id", "model"),
    CheckConstraint(
        "cardinality(class_indexes) is not distinct from cardinality(class_probabilities)", name="classes_have_probabilities"
    ),
)
