"""Suppliers are told by e-mail when a batch is closed.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    op.execute(
        """
        create table batch_mails (
            batch_id bigint not null,
            status text default 'waiting' not null
                constraint ck_batch_mails_status_known check (status in ('waiting', 'sending', 'sent', 'refused')),
            attempts integer default 0 not null,
            last_error text,
            created_at timestamptz default now() not null,
            sent_at timestamptz,
            constraint pk_batch_mails primary key (batch_id),
            constraint ck_batch_mails_sent_has_time check ((status = 'sent') = (sent_at is not null)),
            constraint fk_batch_mails_batch_id foreign key (batch_id) references batches (id)
        )
        """
    )
    op.execute("create index ix_batch_mails_unsent on batch_mails (status, attempts, batch_id) where status <> 'sent'")
    op.execute(
        "comment on column batch_mails.status is 'sending: handed over, or about to be; never again, since it may have arrived'"
    )
