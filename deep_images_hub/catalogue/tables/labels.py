"""Labels: Open Images' classes and any others, a graph with several parents a label."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from deep_images_hub.catalogue.tables.shared import created_at, metadata, one_of

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
    created_at(),
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
    one_of("relation", ("subcategory", "part")),
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
