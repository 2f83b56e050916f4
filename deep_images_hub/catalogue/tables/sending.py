"""What was sent, and what is still to be had."""

from sqlalchemy import (
    BigInteger,
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
    func,
    text,
)

from deep_images_hub.catalogue.tables.shared import created_at, id_column, metadata, one_of
from deep_images_hub.landing.download import DOWNLOAD_STATUSES
from deep_images_hub.landing.refusals import REFUSALS
from deep_images_hub.licences import LICENCES
from deep_images_hub.verdicts import REASONS, SUBMISSION_STATUSES

batches = Table(
    "batches",
    metadata,
    id_column(),
    Column("key", Text, nullable=False, unique=True, comment="the sender's name for it; sending it again changes nothing"),
    Column("supplier_id", ForeignKey("users.id"), nullable=False),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("place_id", ForeignKey("places.id")),
    Column("licence", Text, nullable=False),
    Column("attribution", Text),
    Column("manifest_key", Text, nullable=False, unique=True),
    Column("origin", Text, comment="where its photographs were copied from; null: they were sent here"),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("submitted_count", Integer, CheckConstraint("submitted_count > 0", name="not_empty"), nullable=False),
    Column("accepted_count", Integer, nullable=False, server_default=text("0")),
    Column("rejected_count", Integer, nullable=False, server_default=text("0")),
    Column("review_count", Integer, nullable=False, server_default=text("0")),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    created_at(),
    one_of("status", ("pending", "closed")),
    one_of("licence", LICENCES),
    CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed_has_time"),
    CheckConstraint(
        "status = 'pending' or submitted_count = accepted_count + rejected_count + review_count", name="counts_add_up"
    ),
    Index("ix_batches_pending", "id", postgresql_where=text("status = 'pending'")),
    Index("ix_batches_label_id_id", "label_id", "id"),
    Index("ix_batches_submitted_at_id", "submitted_at", "id"),
    Index("ix_batches_place_id_submitted_at_id", "place_id", "submitted_at", "id"),
    Index("ix_batches_place_id_label_id", "place_id", "label_id", postgresql_where=text("place_id is not null")),
    Index("ix_batches_supplier_id_submitted_at_id", "supplier_id", "submitted_at", "id"),
    Index("ix_batches_origin", "origin", postgresql_where=text("origin is not null")),
)

# Every object that was ever sent keeps its row, accepted or not.
submissions = Table(
    "submissions",
    metadata,
    id_column(),
    Column("batch_id", ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, CheckConstraint("position >= 0", name="position_positive"), nullable=False),
    Column("object_key", Text, nullable=False, unique=True),
    Column("filename", Text, nullable=False, comment="as the supplier named it; shown, never opened"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("reason", Text, comment="why it was rejected or needs review"),
    Column("image_id", BigInteger, ForeignKey("images.id"), index=True, comment="its picture; for a duplicate, the original"),
    Column("decided_at", DateTime(timezone=True)),
    UniqueConstraint("batch_id", "position"),
    one_of("status", SUBMISSION_STATUSES),
    one_of("reason", REASONS),
    CheckConstraint("(status in ('rejected', 'review')) = (reason is not null)", name="refusal_has_reason"),
    CheckConstraint("(status = 'pending') = (decided_at is null)", name="decision_has_time"),
    CheckConstraint("status <> 'accepted' or image_id is not null", name="accepted_has_image"),
    # The funnel's reasons, without a scan over everything that was ever sent.
    Index("ix_submissions_refused", "status", "reason", postgresql_where=text("reason is not null")),
    # What people have to look at, the oldest first.
    Index("ix_submissions_in_review", "id", postgresql_where=text("status = 'review'")),
)

# What became of each manifest that a supplier put into a place from which batches are taken, as it was last read.
deliveries = Table(
    "deliveries",
    metadata,
    Column("source", Text, nullable=False, comment="URL of the place"),
    Column("manifest_key", Text, nullable=False, comment="of the supplier's manifest, in the source"),
    Column("size_bytes", BigInteger, nullable=False, comment="with modified_at: tells whether it has changed since"),
    Column("modified_at", DateTime(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, comment="why it was refused"),
    Column("problem", Text, comment="the same, for people"),
    Column("supplier_id", ForeignKey("users.id"), comment="whom it names, where that could be read"),
    Column("batch_id", ForeignKey("batches.id"), comment="what it became"),
    Column("unnamed_count", Integer, comment="objects in its folder that it does not name"),
    Column("decided_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("source", "manifest_key"),
    one_of("status", ("landed", "refused")),
    one_of("reason", REFUSALS),
    CheckConstraint("(status = 'landed') = (batch_id is not null)", name="landed_has_batch"),
    CheckConstraint(
        "(status = 'refused') = (reason is not null) and (reason is null) = (problem is null)", name="refusal_has_reason"
    ),
    Index("ix_deliveries_refused", "supplier_id", "decided_at", postgresql_where=text("status = 'refused'")),
)

# How far each folder of an adopted tree has been taken in.
adopted_folders = Table(
    "adopted_folders",
    metadata,
    Column("source", Text, nullable=False, comment="URL of the tree"),
    Column("folder", Text, nullable=False, comment="key in the source"),
    Column("marker", Text(collation="C"), nullable=False, comment="name of the last file that was taken in"),
    Column("marked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("source", "folder"),
)

# Files of adopted trees that could not be had, until they are taken in after all.
adoption_refusals = Table(
    "adoption_refusals",
    metadata,
    Column("source", Text, nullable=False, comment="URL of the tree"),
    Column("folder", Text, nullable=False, comment="key in the source"),
    Column("name", Text, nullable=False, comment="of the file in its folder"),
    Column("reason", Text, nullable=False),
    Column("problem", Text, nullable=False, comment="the same, for people"),
    Column("refused_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("source", "folder", "name"),
    one_of("reason", REFUSALS),
)

# Photographs that a published list names: fetched, or still missing and why.
downloads = Table(
    "downloads",
    metadata,
    Column("source", Text, nullable=False, comment="the list that names it"),
    Column("name", Text, nullable=False, comment="its name there"),
    Column("url", Text, nullable=False),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("licence", Text, nullable=False),
    Column("attribution", Text),
    Column("size_bytes", BigInteger, comment="as the list says"),
    Column("md5", Text, CheckConstraint("md5 ~ '^[0-9a-f]{32}$'", name="md5_form"), comment="as the list says"),
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("problem", Text, comment="why it is missing"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("tried_at", DateTime(timezone=True)),
    Column("batch_id", ForeignKey("batches.id")),
    PrimaryKeyConstraint("source", "name"),
    one_of("licence", LICENCES),
    one_of("status", DOWNLOAD_STATUSES),
    CheckConstraint("(status = 'fetched') = (batch_id is not null)", name="fetched_has_batch"),
    CheckConstraint("status not in ('gone', 'differs') or problem is not null", name="final_has_problem"),
    Index(
        "ix_downloads_waiting",
        "source",
        "attempts",
        "label_id",
        "licence",
        text("coalesce(\"left\"(attribution, 200), '')"),
        "name",
        postgresql_where=text("status = 'waiting'"),
    ),
)
