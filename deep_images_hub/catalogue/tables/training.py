"""Training runs, what they said on their way, and the models that came of them."""

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from deep_images_hub.catalogue.tables.shared import SHA256, created_at, id_column, metadata, one_of
from deep_images_hub.model_files import KIND_NAMES
from deep_images_hub.training import FAILURES, RUN_STATUSES, TRAINING_METHODS

training_runs = Table(
    "training_runs",
    metadata,
    id_column(),
    Column("version_id", ForeignKey("dataset_versions.id"), nullable=False),
    Column("requested_by", ForeignKey("users.id"), index=True),
    Column("backbone", Text, nullable=False),
    Column(
        "method",
        Text,
        nullable=False,
        server_default="head",
        comment="of a pretrained backbone: head alone, or fine_tune its top blocks after that",
    ),
    Column("workers", SmallInteger, CheckConstraint("workers > 0", name="workers_positive"), nullable=False),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("message", Text, comment="for people: the last thing that happened, or why it failed"),
    Column("attempt", SmallInteger, nullable=False, server_default=text("0")),
    Column("lease_owner", Text),
    Column("lease_until", DateTime(timezone=True)),
    created_at(),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("repeats", ForeignKey("training_runs.id"), comment="the run that was asked for again by this one"),
    Column("failure", Text, comment="why it failed: for good, or until it is tried again"),
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
    Column("not_before", DateTime(timezone=True), comment="a run that failed is tried again from then on"),
    Column("taken_at", DateTime(timezone=True), comment="when it was last taken from the queue"),
    Column("spent_s", Float, nullable=False, server_default=text("0"), comment="how long it was run, by all tries that are over"),
    Column("lacking", JSONB, comment="labels with too few pictures, while it waits for them"),
    Column("looked_images", BigInteger, comment="how many pictures of them there were at the last look"),
    one_of("status", RUN_STATUSES),
    one_of("method", TRAINING_METHODS),
    one_of("failure", FAILURES),
    CheckConstraint("failure is null or status in ('queued', 'failed')", name="failure_of_failed"),
    CheckConstraint("(status = 'waiting') = (lacking is not null)", name="waits_for_something"),
    Index("ix_training_runs_waiting", "id", postgresql_where=text("status = 'waiting'")),
    CheckConstraint("not_before is null or status = 'queued'", name="waits_in_queue"),
    CheckConstraint("(status = 'running') = (lease_owner is not null and lease_until is not null)", name="running_has_lease"),
    CheckConstraint("(status in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)", name="end_has_time"),
    Index("ix_training_runs_queue", "id", postgresql_where=text("status in ('queued', 'running')")),
    # Those that have not ended are found by it too, and those of the last day: what accounts had decides whose run is next.
    Index("ix_training_runs_finished_at", "finished_at"),
)

training_events = Table(
    "training_events",
    metadata,
    id_column(),
    Column("run_id", ForeignKey("training_runs.id"), nullable=False, index=True),
    Column("attempt", SmallInteger, nullable=False),
    Column("stage", Text, nullable=False, comment="features, train, evaluate, export"),
    Column("done", Integer, nullable=False, comment="steps of the stage that are done, e.g. epochs"),
    Column("total", Integer, nullable=False),
    Column("metrics", JSONB, nullable=False, server_default=text("'{}'")),
    created_at(),
)

# What became of a run: a row each time that its status changed.
training_changes = Table(
    "training_changes",
    metadata,
    id_column(),
    Column("run_id", ForeignKey("training_runs.id"), nullable=False, index=True),
    Column("attempt", SmallInteger, nullable=False),
    Column("status", Text, nullable=False, comment="what it became"),
    Column("failure", Text),
    Column("message", Text),
    created_at(),
    one_of("status", RUN_STATUSES),
    one_of("failure", FAILURES),
)

trained_models = Table(
    "trained_models",
    metadata,
    id_column(),
    Column("run_id", ForeignKey("training_runs.id"), nullable=False, unique=True),
    Column("backbone", Text, nullable=False),
    Column(
        "weights", Text, nullable=False, comment="where the backbone's first weights came from: imagenet, sha256:..., or scratch"
    ),
    Column("label_codes", JSONB, nullable=False, comment="position = class index"),
    Column("metrics", JSONB, nullable=False),
    created_at(),
)

# What a model says of each picture of its test split: the cells of its confusion matrix lead to them.
model_answers = Table(
    "model_answers",
    metadata,
    Column("model_id", ForeignKey("trained_models.id"), nullable=False),
    Column("image_id", ForeignKey("images.id"), nullable=False, index=True),
    Column("truth", SmallInteger, nullable=False, comment="class index of the label that the dataset gives it"),
    Column("said", SmallInteger, nullable=False, comment="class index of the likeliest answer"),
    Column("score", REAL, nullable=False, comment="probability of that answer, calibrated"),
    Column(
        "truth_rank", SmallInteger, nullable=False, comment="place of the right answer among all, likeliest first: 1 is right"
    ),
    PrimaryKeyConstraint("model_id", "image_id"),
    CheckConstraint("score between 0 and 1", name="score_range"),
    CheckConstraint("truth >= 0 and said >= 0 and truth_rank > 0", name="known_classes"),
    Index("ix_model_answers_cell", "model_id", "truth", "said", "score", "image_id"),
    Index("ix_model_answers_wrong", "model_id", "score", "image_id", postgresql_where=text("said <> truth")),
)

model_files = Table(
    "model_files",
    metadata,
    Column("model_id", ForeignKey("trained_models.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("sha256", Text, CheckConstraint(f"sha256 ~ '{SHA256}'", name="sha256_form"), nullable=False),
    Column("size_bytes", BigInteger, comment="null: of a model from before sizes were kept"),
    one_of("kind", KIND_NAMES),
)

# What models say of pictures that they were asked to tag. It never changes a picture's label.
network_labels = Table(
    "network_labels",
    metadata,
    Column("model_id", ForeignKey("trained_models.id"), nullable=False),
    Column("image_id", ForeignKey("images.id"), nullable=False, index=True),
    Column("label_id", ForeignKey("labels.id"), nullable=False, comment="the likeliest"),
    Column("class_indexes", ARRAY(SmallInteger), nullable=False, comment="of the model's labels, likeliest first"),
    Column("scores", ARRAY(REAL), nullable=False, comment="their probabilities, calibrated"),
    created_at(),
    PrimaryKeyConstraint("model_id", "image_id"),
    CheckConstraint(
        "cardinality(class_indexes) > 0 and cardinality(class_indexes) = cardinality(scores)", name="labels_have_scores"
    ),
)
