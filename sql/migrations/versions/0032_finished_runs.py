"""Find the training runs of the last day, which decide whose run is next, without reading all that ever were.

Revision ID: 0032
Revises: 0031
"""

from alembic import op

revision = "0032"
down_revision: str | None = "0031"


def upgrade() -> None:
    op.execute("create index ix_training_runs_finished_at on training_runs (finished_at)")
