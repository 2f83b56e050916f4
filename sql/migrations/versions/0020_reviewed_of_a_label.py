"""The few pictures of a label that an operator looked at are found without reading those of all labels.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision: str | None = "0019"


def upgrade() -> None:
    op.execute("drop index ix_shown_images_reviewed")
    op.execute("create index ix_shown_images_reviewed on shown_images (label_id) where is_reviewed")
