"""Tokens with which programs come in someone's name."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from deep_images_hub.api_tokens import MAX_NAME_LENGTH, SCOPES
from deep_images_hub.catalogue.tables.shared import SHA256, created_at, id_column, metadata

_KNOWN = ", ".join(f"'{scope}'" for scope in SCOPES)

api_tokens = Table(
    "api_tokens",
    metadata,
    id_column(),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("name", Text, CheckConstraint(f"length(name) between 1 and {MAX_NAME_LENGTH}", name="name_length"), nullable=False),
    Column("prefix", Text, nullable=False, comment="its first characters, so that people know it again"),
    Column(
        "token_hash",
        Text,
        CheckConstraint(f"token_hash ~ '{SHA256}'", name="token_hash_form"),
        nullable=False,
        unique=True,
        comment="sha256; the token itself is kept nowhere",
    ),
    Column("scopes", ARRAY(Text), nullable=False),
    created_at(),
    Column("expires_at", DateTime(timezone=True), comment="null: good until it is revoked"),
    Column("last_used_at", DateTime(timezone=True), comment="to the minute"),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint(f"cardinality(scopes) > 0 and scopes <@ array[{_KNOWN}]", name="scopes_known"),
    CheckConstraint(text("expires_at > created_at"), name="expires_later"),
)
