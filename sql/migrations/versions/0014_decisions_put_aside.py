"""Intake finds what it has decided on already by one look for each photograph, however many it has staged.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision: str | None = "0013"


def upgrade() -> None:
    op.execute("drop index ix_staged_decisions_attempt_batch_id")
    op.execute(
        "create index ix_staged_decisions_attempt_batch_id_submission_id on staged_decisions (attempt, batch_id, submission_id)"
    )
    op.execute(
        "comment on column staged_decisions.attempt is"
        " 'the run of the job; its advisory lock says whether it lives. Below 0: put aside for the next run'"
    )
