"""What was decided of submissions: the ledger, every change since, and what suppliers are told."""

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from deep_images_hub.catalogue.tables.shared import created_at, id_column, metadata, one_of
from deep_images_hub.verdicts import CHECKS, DECISION_CAUSES, OUTCOMES, REVIEW_CHECK

# A new threshold for a check, applied to the scores that the ledger has. Thresholds in force may differ from picture to picture:
# batches were taken in under different settings, or a redecision was stopped half way.
redecisions = Table(
    "redecisions",
    metadata,
    id_column(),
    Column("check_name", Text, nullable=False),
    Column("threshold", REAL, CheckConstraint("threshold between 0 and 1", name="threshold_range"), nullable=False),
    Column("lowest_before", REAL, comment="of the thresholds that were in force when it began"),
    Column("highest_before", REAL, comment="likewise"),
    Column("user_id", ForeignKey("users.id")),
    Column("judged_count", BigInteger, nullable=False, server_default=text("0"), comment="verdicts that it added"),
    Column("in_count", BigInteger, nullable=False, server_default=text("0"), comment="pictures that became accepted"),
    Column("out_count", BigInteger, nullable=False, server_default=text("0"), comment="pictures that were accepted"),
    Column(
        "changed_count",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="submissions that became something else, these among them",
    ),
    created_at(),
    Column("finished_at", DateTime(timezone=True), comment="null: it was stopped; the same one again goes on with it"),
)

# The ledger. Scores run from 0 (worst) to 1; lower is worse. Null: the check gives no score. Of several verdicts of one check on
# one submission the newest is in force.
verdicts = Table(
    "verdicts",
    metadata,
    id_column(),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False),
    Column("check_name", Text, nullable=False),
    Column("check_version", SmallInteger, nullable=False),
    Column("score", REAL),
    Column("threshold", REAL),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, comment="for people: what was found and what was expected"),
    created_at(),
    Column("redecision_id", ForeignKey("redecisions.id"), comment="null: judged when the score was found"),
    Column(
        "decision_change_id",
        ForeignKey("decision_changes.id"),
        comment="the decision that a person made by it, which says who; null: a check's verdict",
    ),
    one_of("check_name", CHECKS),
    one_of("outcome", OUTCOMES),
    CheckConstraint("score between 0 and 1", name="score_range"),
    CheckConstraint(f"(check_name = '{REVIEW_CHECK}') = (decision_change_id is not null)", name="person_has_decision"),
    # The name that the convention gives would be longer than PostgreSQL's names may be.
    UniqueConstraint(
        "submission_id",
        "check_name",
        "check_version",
        "redecision_id",
        "decision_change_id",
        name="uq_verdicts_judged_once",
        postgresql_nulls_not_distinct=True,
    ),
    # Pictures whose label the network doubts, without a scan over the whole ledger.
    Index("ix_verdicts_doubted", "submission_id", postgresql_where=text("check_name = 'label_agreement' and outcome = 'fail'")),
)

# Every decision after intake's: what a submission was, what it became, and why. Rows are added, never changed.
decision_changes = Table(
    "decision_changes",
    metadata,
    id_column(),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False),
    Column("from_status", Text, nullable=False),
    Column("from_reason", Text),
    Column("to_status", Text, nullable=False),
    Column("to_reason", Text),
    Column("image_label_id", ForeignKey("image_labels.id"), comment="the label that its picture got or lost by this"),
    Column("cause", Text, nullable=False),
    Column("detail", Text, comment="for people: what brought it about"),
    Column("user_id", ForeignKey("users.id"), comment="who decided; null where nobody signed"),
    created_at(),
    one_of("cause", DECISION_CAUSES),
    CheckConstraint("(from_status, from_reason) is distinct from (to_status, to_reason)", name="changes_something"),
    Index("ix_decision_changes_submission_id_id", "submission_id", "id"),
    Index("ix_decision_changes_operators", "user_id", "id", postgresql_where=text("cause = 'operator'")),
)

# What suppliers are told of closed batches: one e-mail each.
batch_mails = Table(
    "batch_mails",
    metadata,
    Column("batch_id", ForeignKey("batches.id"), primary_key=True),
    Column(
        "status",
        Text,
        nullable=False,
        server_default="waiting",
        comment="sending: handed over, or about to be; never again, since it may have arrived",
    ),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    created_at(),
    Column("sent_at", DateTime(timezone=True)),
    one_of("status", ("waiting", "sending", "sent", "refused")),
    CheckConstraint("(status = 'sent') = (sent_at is not null)", name="sent_has_time"),
    Index("ix_batch_mails_unsent", "status", "attempts", "batch_id", postgresql_where=text("status <> 'sent'")),
)

# What intake found out about submissions whose batch is not merged yet; emptied batch by batch. Unlogged, since after a crash
# the batches are pending still and are examined again. A task that Spark ran twice leaves the same row twice.
staged_decisions = Table(
    "staged_decisions",
    metadata,
    Column(
        "attempt",
        Integer,
        nullable=False,
        comment="the run of the job; its advisory lock says whether it lives. Below 0: put aside for the next run",
    ),
    Column("batch_id", BigInteger, nullable=False),
    Column("submission_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False, comment="unavailable: the store could not be asked, which is no verdict"),
    Column("reason", Text),
    Column("verdicts", JSONB, nullable=False),
    Column("sha256", Text),
    Column("format", Text),
    Column("size_bytes", BigInteger),
    Column("picture_size_bytes", BigInteger),
    Column("picture_sha256", Text),
    Column("picture_crc32", BigInteger),
    Column("width_px", Integer),
    Column("height_px", Integer),
    Column("picture_key", Text),
    Column("thumbnail_key", Text),
    Column("quality_score", REAL),
    Column("whole_hash", BigInteger),
    Column("inner_hash", BigInteger),
    Column("grid", BYTEA),
    one_of("status", ("accepted", "rejected", "unavailable")),
    Index("ix_staged_decisions_attempt_batch_id_submission_id", "attempt", "batch_id", "submission_id"),
    Index("ix_staged_decisions_batch_id", "batch_id"),
    prefixes=["UNLOGGED"],
)
