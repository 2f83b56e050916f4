"""What most people want is found without sorting all that is wanted.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision: str | None = "0024"


def upgrade() -> None:
    op.execute("create index ix_demands_open_votes on demands (vote_count, id) where status = 'open'")
