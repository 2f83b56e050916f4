"""The catalogue's tables, as SQLAlchemy Core sees them. The schema itself is made by sql/migrations; a test holds both equal.

Surrogate keys are `id`; what has a name outside the catalogue (a label's code, a batch's key, a picture's sha256) keeps it in a
unique column, and everything that must be reproducible is derived from those names and never from an id. Times are UTC.
"""

from datetime import datetime

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from deep_images_hub.accounts import ROLES
from deep_images_hub.images.descriptor import GRID_BYTES
from deep_images_hub.images.difference_hash import BANDS, HASH_BITS
from deep_images_hub.landing.download import DOWNLOAD_STATUSES
from deep_images_hub.landing.refusals import REFUSALS
from deep_images_hub.licences import LICENCES
from deep_images_hub.picture_reports import MAX_NOTE_LENGTH, REPORT_OUTCOMES, REPORT_REASONS
from deep_images_hub.training import RUN_STATUSES
from deep_images_hub.verdicts import CHECKS, DECISION_CAUSES, OUTCOMES, REASONS, REVIEW_CHECK, SUBMISSION_STATUSES

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_SHA256 = "^[0-9a-f]{64}$"


def _one_of(column: str, values: tuple[str, ...], name: str | None = None) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=name or f"{column}_known")


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _created_at() -> Column[datetime]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


# --- labels: Open Images' classes and any others, a graph with several parents a label ---

labels = Table(
    "labels",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column(
        "code",
        Text,
        CheckConstraint("code ~ '^\\S(.*\\S)?$' and length(code) <= 200", name="code_form"),
        nullable=False,
        unique=True,
    ),
    Column("name", Text, CheckConstraint("name ~ '^\\S(.*\\S)?$' and length(name) <= 200", name="name_form"), nullable=False),
    Column("source", Text, nullable=False),
    _created_at(),
    Index("ix_labels_lower_name", text("lower(name)")),
)

# What else people call a label: search finds it by these too.
label_aliases = Table(
    "label_aliases",
    metadata,
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("alias", Text, CheckConstraint("alias ~ '^\\S(.*\\S)?$' and length(alias) <= 200", name="alias_form"), nullable=False),
    PrimaryKeyConstraint("label_id", "alias"),
)

label_edges = Table(
    "label_edges",
    metadata,
    Column("parent_id", ForeignKey("labels.id"), nullable=False),
    Column("child_id", ForeignKey("labels.id"), nullable=False, index=True),
    Column("relation", Text, nullable=False),
    PrimaryKeyConstraint("parent_id", "child_id", "relation"),
    _one_of("relation", ("subcategory", "part")),
    CheckConstraint("parent_id <> child_id", name="no_loop"),
)

# Each label with itself (depth 0) and with every label above it by `subcategory`. Made anew when edges change.
label_closure = Table(
    "label_closure",
    metadata,
    Column("ancestor_id", ForeignKey("labels.id"), nullable=False),
    Column("descendant_id", ForeignKey("labels.id"), nullable=False, index=True),
    Column("depth", SmallInteger, CheckConstraint("depth >= 0", name="depth_positive"), nullable=False),
    PrimaryKeyConstraint("ancestor_id", "descendant_id"),
)

# Pictures whose current label it is (own), and those of all its descendants too (subtree; own included).
label_counts = Table(
    "label_counts",
    metadata,
    Column("label_id", ForeignKey("labels.id"), primary_key=True),
    Column("own_images", BigInteger, nullable=False, server_default=text("0")),
    Column("subtree_images", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("own_images >= 0 and subtree_images >= own_images", name="counts_consistent"),
)

# --- people and places ---

users = Table(
    "users",
    metadata,
    _id(),
    Column(
        "email",
        Text,
        CheckConstraint("email = lower(email) and email like '%_@_%'", name="email_form"),
        nullable=False,
        unique=True,
    ),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, comment="argon2id; null: cannot sign in"),
    Column("role", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    _created_at(),
    _one_of("role", ROLES),
)

# Coarse on purpose: a place is a postcode area at the finest.
places = Table(
    "places",
    metadata,
    _id(),
    Column("country_code", Text, CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"), nullable=False),
    Column("region", Text),
    Column("city", Text, nullable=False, index=True),
    Column("postcode", Text),
    Column("latitude", Double, CheckConstraint("latitude between -90 and 90", name="latitude_range"), nullable=False),
    Column("longitude", Double, CheckConstraint("longitude between -180 and 180", name="longitude_range"), nullable=False),
    _created_at(),
    UniqueConstraint("country_code", "region", "city", "postcode", postgresql_nulls_not_distinct=True),
)

# What a geocoder answered to a query, so that nobody asks twice. place_id null: it knows no such place.
geocodings = Table(
    "geocodings",
    metadata,
    Column("geocoder", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("place_id", ForeignKey("places.id")),
    _created_at(),
    PrimaryKeyConstraint("geocoder", "query"),
)

# --- what was sent ---

batches = Table(
    "batches",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True, comment="the sender's name for it; sending it again changes nothing"),
    Column("supplier_id", ForeignKey("users.id"), nullable=False, index=True),
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
    _created_at(),
    _one_of("status", ("pending", "closed")),
    _one_of("licence", LICENCES),
    CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed_has_time"),
    CheckConstraint(
        "status = 'pending' or submitted_count = accepted_count + rejected_count + review_count", name="counts_add_up"
    ),
    Index("ix_batches_pending", "id", postgresql_where=text("status = 'pending'")),
    Index("ix_batches_label_id_id", "label_id", "id"),
    Index("ix_batches_submitted_at_id", "submitted_at", "id"),
    Index("ix_batches_place_id_submitted_at_id", "place_id", "submitted_at", "id"),
    Index("ix_batches_origin", "origin", postgresql_where=text("origin is not null")),
)

# Every object that was ever sent keeps its row, accepted or not.
submissions = Table(
    "submissions",
    metadata,
    _id(),
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
    _one_of("status", SUBMISSION_STATUSES),
    _one_of("reason", REASONS),
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
    _one_of("status", ("landed", "refused")),
    _one_of("reason", REFUSALS),
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
    _one_of("reason", REFUSALS),
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
    _one_of("licence", LICENCES),
    _one_of("status", DOWNLOAD_STATUSES),
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

# --- pictures and what is known of them ---

images = Table(
    "images",
    metadata,
    _id(),
    Column(
        "sha256",
        Text,
        CheckConstraint(f"sha256 ~ '{_SHA256}'", name="sha256_form"),
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
    Column("width_px", Integer, nullable=False, comment="of the original, upright"),
    Column("height_px", Integer, nullable=False),
    Column("original_key", Text, nullable=False),
    Column("picture_key", Text, nullable=False),
    Column("thumbnail_key", Text, nullable=False),
    Column("quality_score", REAL, CheckConstraint("quality_score between 0 and 1", name="quality_score_range"), nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    _created_at(),
    Column("taken_down_at", DateTime(timezone=True), comment="since then nobody but operators may see it"),
    CheckConstraint("width_px > 0 and height_px > 0", name="has_pixels"),
    Index("ix_images_taken_down", "id", postgresql_where=text("taken_down_at is not null")),
)

# What people say is wrong with a picture that is to be seen, and what an operator made of it.
picture_reports = Table(
    "picture_reports",
    metadata,
    _id(),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, CheckConstraint(f"length(note) <= {MAX_NOTE_LENGTH}", name="note_length")),
    _created_at(),
    Column("outcome", Text, comment="null: no operator has decided yet"),
    Column("decided_by", ForeignKey("users.id")),
    Column("decided_at", DateTime(timezone=True)),
    _one_of("reason", REPORT_REASONS),
    _one_of("outcome", REPORT_OUTCOMES),
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
    _id(),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("label_set", Text, nullable=False, server_default=LABEL_SET),
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("said_by", Text, nullable=False),
    Column("user_id", ForeignKey("users.id")),
    Column("confidence", REAL, CheckConstraint("confidence between 0 and 1", name="confidence_range")),
    Column("is_current", Boolean, nullable=False, server_default=text("true")),
    _created_at(),
    _one_of("said_by", ("supplier", "crowd", "network", "operator")),
    Index("ix_image_labels_image_id", "image_id"),
    Index("uq_image_labels_current", "image_id", "label_set", unique=True, postgresql_where=text("is_current")),
    Index(
        "ix_image_labels_gallery",
        "label_id",
        "image_id",
        postgresql_where=text(f"is_current and label_set = '{LABEL_SET}'"),
    ),
)

# Pictures that everybody sees, with all that galleries filter and sort by. Triggers on `image_labels` and `verdicts` keep it, and
# note in `facet_changes` what came and went; `label_counts` folds that into `facet_counts`. Whoever reads counts adds what is not
# folded yet.
_GALLERY_ORDERS = ("received_at", "quality_score", "short_side_px")
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
    *(Index(f"ix_shown_images_{key}_image_id", key, "image_id") for key in _GALLERY_ORDERS),
    *(Index(f"ix_shown_images_{column}", column) for column in ("place_id", "supplier_id", "licence", "taken_at")),
    Index("ix_shown_images_reviewed", "label_id", postgresql_where=text("is_reviewed")),
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

# A new threshold for a check, applied to the scores that the ledger has. Thresholds in force may differ from picture to picture:
# batches were taken in under different settings, or a redecision was stopped half way.
redecisions = Table(
    "redecisions",
    metadata,
    _id(),
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
    _created_at(),
    Column("finished_at", DateTime(timezone=True), comment="null: it was stopped; the same one again goes on with it"),
)

# The ledger. Scores run from 0 (worst) to 1; lower is worse. Null: the check gives no score. Of several verdicts of one check on
# one submission the newest is in force.
verdicts = Table(
    "verdicts",
    metadata,
    _id(),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False),
    Column("check_name", Text, nullable=False),
    Column("check_version", SmallInteger, nullable=False),
    Column("score", REAL),
    Column("threshold", REAL),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, comment="for people: what was found and what was expected"),
    _created_at(),
    Column("redecision_id", ForeignKey("redecisions.id"), comment="null: judged when the score was found"),
    Column(
        "decision_change_id",
        ForeignKey("decision_changes.id"),
        comment="the decision that a person made by it, which says who; null: a check's verdict",
    ),
    _one_of("check_name", CHECKS),
    _one_of("outcome", OUTCOMES),
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
    _id(),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False),
    Column("from_status", Text, nullable=False),
    Column("from_reason", Text),
    Column("to_status", Text, nullable=False),
    Column("to_reason", Text),
    Column("image_label_id", ForeignKey("image_labels.id"), comment="the label that its picture got or lost by this"),
    Column("cause", Text, nullable=False),
    Column("detail", Text, comment="for people: what brought it about"),
    Column("user_id", ForeignKey("users.id"), comment="who decided; null where nobody signed"),
    _created_at(),
    _one_of("cause", DECISION_CAUSES),
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
    _created_at(),
    Column("sent_at", DateTime(timezone=True)),
    _one_of("status", ("waiting", "sending", "sent", "refused")),
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
    Column("width_px", Integer),
    Column("height_px", Integer),
    Column("picture_key", Text),
    Column("thumbnail_key", Text),
    Column("quality_score", REAL),
    Column("whole_hash", BigInteger),
    Column("inner_hash", BigInteger),
    Column("grid", BYTEA),
    _one_of("status", ("accepted", "rejected", "unavailable")),
    Index("ix_staged_decisions_attempt_batch_id_submission_id", "attempt", "batch_id", "submission_id"),
    Index("ix_staged_decisions_batch_id", "batch_id"),
    prefixes=["UNLOGGED"],
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("model", Text, nullable=False, comment="backbone and digest of its weights"),
    Column("features", HALFVEC(), nullable=False, comment="globally average-pooled activations"),
    _created_at(),
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

# --- who wants what ---

demands = Table(
    "demands",
    metadata,
    _id(),
    Column("label_id", ForeignKey("labels.id"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("target_images", Integer, CheckConstraint("target_images > 0", name="target_positive"), nullable=False),
    Column("note", Text),
    _created_at(),
    UniqueConstraint("label_id", "user_id"),
)

watches = Table(
    "watches",
    metadata,
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("label_id", ForeignKey("labels.id"), nullable=False, index=True),
    _created_at(),
    PrimaryKeyConstraint("user_id", "label_id"),
)

# --- datasets ---

recipes = Table(
    "recipes",
    metadata,
    _id(),
    Column("digest", Text, CheckConstraint(f"digest ~ '{_SHA256}'", name="digest_form"), nullable=False, unique=True),
    Column("body", JSONB, nullable=False),
    _created_at(),
)

dataset_versions = Table(
    "dataset_versions",
    metadata,
    _id(),
    Column("recipe_id", ForeignKey("recipes.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, CheckConstraint(f"digest ~ '{_SHA256}'", name="digest_form"), nullable=False),
    Column("image_count", Integer, CheckConstraint("image_count > 0", name="not_empty"), nullable=False),
    Column("train_count", Integer, nullable=False),
    Column("validation_count", Integer, nullable=False),
    Column("test_count", Integer, nullable=False),
    Column("label_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False, comment="of all its stored pictures"),
    Column("created_by", ForeignKey("users.id")),
    _created_at(),
    Column("patched_by", ForeignKey("dataset_versions.id"), index=True, comment="the same without what was taken down since"),
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
    _one_of("split", ("train", "validation", "test")),
)

export_files = Table(
    "export_files",
    metadata,
    Column("etag", Text, primary_key=True, comment="of a version, a part of it, a format and a file: the same bytes every time"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, CheckConstraint(f"sha256 ~ '{_SHA256}'", name="sha256_form"), nullable=False),
    _created_at(),
)

# --- training ---

training_runs = Table(
    "training_runs",
    metadata,
    _id(),
    Column("version_id", ForeignKey("dataset_versions.id"), nullable=False),
    Column("requested_by", ForeignKey("users.id"), index=True),
    Column("backbone", Text, nullable=False),
    Column("workers", SmallInteger, CheckConstraint("workers > 0", name="workers_positive"), nullable=False),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("message", Text, comment="for people: the last thing that happened, or why it failed"),
    Column("attempt", SmallInteger, nullable=False, server_default=text("0")),
    Column("lease_owner", Text),
    Column("lease_until", DateTime(timezone=True)),
    _created_at(),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    _one_of("status", RUN_STATUSES),
    CheckConstraint("(status = 'running') = (lease_owner is not null and lease_until is not null)", name="running_has_lease"),
    CheckConstraint("(status in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)", name="end_has_time"),
    Index("ix_training_runs_queue", "id", postgresql_where=text("status in ('queued', 'running')")),
)

training_events = Table(
    "training_events",
    metadata,
    _id(),
    Column("run_id", ForeignKey("training_runs.id"), nullable=False, index=True),
    Column("attempt", SmallInteger, nullable=False),
    Column("stage", Text, nullable=False, comment="features, train, evaluate, export"),
    Column("done", Integer, nullable=False, comment="steps of the stage that are done, e.g. epochs"),
    Column("total", Integer, nullable=False),
    Column("metrics", JSONB, nullable=False, server_default=text("'{}'")),
    _created_at(),
)

trained_models = Table(
    "trained_models",
    metadata,
    _id(),
    Column("run_id", ForeignKey("training_runs.id"), nullable=False, unique=True),
    Column("backbone", Text, nullable=False),
    Column(
        "weights", Text, nullable=False, comment="where the backbone's first weights came from: imagenet, sha256:..., or scratch"
    ),
    Column("label_codes", JSONB, nullable=False, comment="position = class index"),
    Column("metrics", JSONB, nullable=False),
    Column("keras_key", Text, nullable=False),
    Column("keras_sha256", Text, nullable=False),
    Column("onnx_key", Text, nullable=False),
    Column("onnx_sha256", Text, nullable=False),
    _created_at(),
)
