"""Where intake puts its decisions until a whole batch of them can be merged in one transaction.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.execute(
        """
        create unlogged table staged_decisions (
            attempt integer not null,
            batch_id bigint not null,
            submission_id bigint not null,
            status text not null
                constraint ck_staged_decisions_status_known check (status in ('accepted', 'rejected', 'unavailable')),
            reason text,
            verdicts jsonb not null,
            sha256 text,
            format text,
            size_bytes bigint,
            picture_size_bytes bigint,
            width_px integer,
            height_px integer,
            difference_hash bigint,
            picture_key text,
            thumbnail_key text,
            quality_score real
        )
        """
    )
    op.execute("create index ix_staged_decisions_attempt_batch_id on staged_decisions (attempt, batch_id)")
    op.execute("create index ix_staged_decisions_batch_id on staged_decisions (batch_id)")
    op.execute("comment on column staged_decisions.attempt is 'the run of the job; its advisory lock says whether it lives'")
    op.execute("comment on column staged_decisions.status is 'unavailable: the store could not be asked, which is no verdict'")
