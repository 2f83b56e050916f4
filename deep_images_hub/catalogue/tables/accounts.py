"""Accounts: who may sign in, what became of them, the links that go out by e-mail, and how often somebody tried."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from deep_images_hub.accounts import ACCOUNT_DEEDS, MAIL_PURPOSES, ROLES
from deep_images_hub.catalogue.tables.shared import SHA256, created_at, id_column, metadata, one_of

users = Table(
    "users",
    metadata,
    id_column(),
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
    created_at(),
    Column("session_series", Integer, nullable=False, server_default=text("0"), comment="one more ends every session of before"),
    Column("deleted_at", DateTime(timezone=True), comment="since then its name and address are nobody's"),
    one_of("role", ROLES),
    CheckConstraint("deleted_at is null or not is_active and password_hash is null", name="deleted_is_closed"),
    Index("ix_users_email_beginning", "email", postgresql_ops={"email": "text_pattern_ops"}),
    Index(
        "ix_users_name_beginning",
        func.lower(text("display_name")).label("name"),
        postgresql_ops={"name": "text_pattern_ops"},
    ),
)

# Rows are added, never changed.
account_changes = Table(
    "account_changes",
    metadata,
    id_column(),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("deed", Text, nullable=False),
    Column("value_before", Text),
    Column("value_after", Text),
    Column("changed_by", ForeignKey("users.id"), comment="null: somebody at the hub's command line"),
    created_at(),
    one_of("deed", ACCOUNT_DEEDS),
    Index("ix_account_changes_user_id_id", "user_id", "id"),
    Index("ix_account_changes_by_others", "id", postgresql_where=text("changed_by is distinct from user_id")),
)

# What people asked for, whether or not there is such an account: that is found out when the e-mail is made.
account_mails = Table(
    "account_mails",
    metadata,
    id_column(),
    Column("purpose", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("user_id", ForeignKey("users.id"), comment="whose address it is to become; null: whoever has the address"),
    Column("display_name", Text),
    Column("role", Text),
    Column(
        "status",
        Text,
        nullable=False,
        server_default="waiting",
        comment="needless: there was no such account, or nothing to say; sending: handed over, or about to be",
    ),
    Column("last_error", Text),
    Column(
        "token_sha256",
        Text,
        CheckConstraint(f"token_sha256 ~ '{SHA256}'", name="token_sha256_form"),
        comment="of the link; the token itself is in the e-mail alone",
    ),
    Column("expires_at", DateTime(timezone=True)),
    Column("used_at", DateTime(timezone=True), comment="when the link was used, or made useless"),
    created_at(),
    one_of("purpose", MAIL_PURPOSES),
    one_of("status", ("waiting", "sending", "sent", "refused", "needless")),
    UniqueConstraint("token_sha256"),
    CheckConstraint("(token_sha256 is null) = (expires_at is null)", name="link_expires"),
    Index("ix_account_mails_waiting", "id", postgresql_where=text("status = 'waiting'")),
    Index("ix_account_mails_open", "email", postgresql_where=text("token_sha256 is not null and used_at is null")),
    Index("ix_account_mails_created_at", "created_at"),
)

# Unlogged: after a crash everybody may try anew.
attempts = Table(
    "attempts",
    metadata,
    Column("key", Text, primary_key=True, comment="sha256 of what was tried, and on whose account"),
    Column("attempt_count", Integer, nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False, index=True),
    prefixes=["UNLOGGED"],
)
