"""All labels that a picture has or had are found by one look into an index.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision: str | None = "0018"


def upgrade() -> None:
    op.execute("create index ix_image_labels_image_id on image_labels (image_id)")
