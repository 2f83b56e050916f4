"""Who wants what: more pictures of a label, or a label that is not here yet; and who is told what became of it."""

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
    text,
)

from deep_images_hub.catalogue.tables.shared import created_at, id_column, metadata, one_of
from deep_images_hub.demand.rules import DEMAND_STATUSES, MAX_NOTE_LENGTH, PROPOSAL_STATUSES

demands = Table(
    "demands",
    metadata,
    id_column(),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("target_images", Integer, CheckConstraint("target_images > 0", name="target_positive"), nullable=False),
    Column("note", Text, CheckConstraint(f"length(note) <= {MAX_NOTE_LENGTH}", name="note_length")),
    created_at(),
    Column("place_id", ForeignKey("places.id")),
    Column("status", Text, nullable=False, server_default="open"),
    Column(
        "vote_count", Integer, CheckConstraint("vote_count >= 0", name="votes_positive"), nullable=False, server_default=text("0")
    ),
    Column(
        "near_images",
        BigInteger,
        CheckConstraint("near_images >= 0", name="near_positive"),
        nullable=False,
        server_default=text("0"),
        comment="accepted photographs from around its place, as last counted; 0 without a place, where label_counts says it",
    ),
    Column("met_images", BigInteger, comment="how many there were when it was met"),
    Column("closed_at", DateTime(timezone=True)),
    one_of("status", DEMAND_STATUSES),
    CheckConstraint("(status = 'open') = (closed_at is null)", name="closed_has_time"),
    CheckConstraint("(status = 'met') = (met_images is not null)", name="met_has_images"),
    CheckConstraint("place_id is not null or near_images = 0", name="near_has_place"),
    # Who asks for the same again gives it a vote.
    Index(
        "uq_demands_open",
        "label_id",
        "place_id",
        "target_images",
        unique=True,
        postgresql_where=text("status = 'open'"),
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_demands_user_id_id", "user_id", "id"),
    Index("ix_demands_open_votes", "vote_count", "id", postgresql_where=text("status = 'open'")),
    Index("ix_demands_open_place_id", "place_id", postgresql_where=text("status = 'open' and place_id is not null")),
)

# Who wants it too, beside the one who asked.
demand_votes = Table(
    "demand_votes",
    metadata,
    Column("demand_id", ForeignKey("demands.id"), nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    created_at(),
    PrimaryKeyConstraint("demand_id", "user_id"),
)

watches = Table(
    "watches",
    metadata,
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("label_id", ForeignKey("labels.id"), nullable=False, index=True),
    created_at(),
    PrimaryKeyConstraint("user_id", "label_id"),
)

# Labels that people miss, and what an operator said to it.
label_proposals = Table(
    "label_proposals",
    metadata,
    id_column(),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("name", Text, CheckConstraint("name ~ '^\\S(.*\\S)?$' and length(name) <= 200", name="name_form"), nullable=False),
    Column("parent_id", ForeignKey("labels.id"), comment="under which label the asker would put it"),
    Column("note", Text, CheckConstraint(f"length(note) <= {MAX_NOTE_LENGTH}", name="note_length")),
    Column("target_images", Integer, CheckConstraint("target_images > 0", name="target_positive")),
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("label_id", ForeignKey("labels.id"), comment="what it became, or what it is called here already"),
    Column("answer", Text, CheckConstraint(f"length(answer) <= {MAX_NOTE_LENGTH}", name="answer_length")),
    Column("decided_by", ForeignKey("users.id")),
    Column("decided_at", DateTime(timezone=True)),
    created_at(),
    one_of("status", PROPOSAL_STATUSES),
    CheckConstraint(
        "(status = 'waiting') = (decided_at is null) and (decided_at is null) = (decided_by is null)", name="decision_has_time"
    ),
    CheckConstraint("(status in ('accepted', 'merged')) = (label_id is not null)", name="answer_has_label"),
    CheckConstraint("status <> 'refused' or answer is not null", name="refusal_has_reason"),
    Index(
        "uq_label_proposals_waiting",
        text("lower(name)"),
        "user_id",
        unique=True,
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("ix_label_proposals_waiting", "id", postgresql_where=text("status = 'waiting'")),
    Index("ix_label_proposals_user_id_id", "user_id", "id"),
)

# What people are told: one e-mail a person and demand that is met, one a proposal that is
# decided, one a training run that waited and was started.
notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("demand_id", ForeignKey("demands.id")),
    Column("proposal_id", ForeignKey("label_proposals.id"), unique=True),
    Column("run_id", ForeignKey("training_runs.id"), unique=True),
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
    UniqueConstraint("demand_id", "user_id"),
    one_of("status", ("waiting", "sending", "sent", "refused")),
    CheckConstraint("num_nonnulls(demand_id, proposal_id, run_id) = 1", name="about_one_thing"),
    CheckConstraint("(status = 'sent') = (sent_at is not null)", name="sent_has_time"),
    Index("ix_notices_unsent", "status", "attempts", "id", postgresql_where=text("status <> 'sent'")),
)
