"""A submission's latest change of decision is found by one look into an index, whatever the planner believes of their number.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    op.execute("create index ix_decision_changes_submission_id_id on decision_changes (submission_id, id)")
    op.execute("drop index ix_decision_changes_submission_id")
