"""Accounts that their owners had deleted, tokens that are revoked together, and credits that were taken back.

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision: str | None = "0033"


def upgrade() -> None:
    op.execute("alter table users add column deleted_at timestamptz")
    op.execute("comment on column users.deleted_at is 'since then its name and address are nobody''s'")
    op.execute(
        "alter table users add constraint ck_users_deleted_is_closed"
        " check (deleted_at is null or not is_active and password_hash is null)"
    )
    op.execute("alter table account_changes drop constraint ck_account_changes_deed_known")
    op.execute(
        """
        alter table account_changes add constraint ck_account_changes_deed_known
            check (deed in ('made', 'role', 'closed', 'reopened', 'password', 'email', 'name', 'signed_out', 'tokens_revoked',
                'deleted'))
        """
    )
    op.execute("alter table account_mails drop constraint ck_account_mails_purpose_known")
    op.execute(
        """
        alter table account_mails add constraint ck_account_mails_purpose_known
            check (purpose in ('sign_up', 'invitation', 'reset', 'new_address', 'password_changed', 'address_changed',
                'account_deleted'))
        """
    )
    op.execute("alter table dataset_versions add column credits_revision integer default 0 not null")
    op.execute(
        "comment on column dataset_versions.credits_revision is"
        " 'how often suppliers took their names back: exports then have other bytes, and the content is the same'"
    )
