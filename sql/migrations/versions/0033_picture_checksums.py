"""Checksums of stored pictures, so that a download need not find them out.

Revision ID: 0033
Revises: 0032
"""

from alembic import op

revision = "0033"
down_revision: str | None = "0032"


def upgrade() -> None:
    for table in ("images", "staged_decisions"):
        op.execute(f"alter table {table} add picture_sha256 text, add picture_crc32 bigint")
    op.execute(
        """
        alter table images
            add constraint ck_images_picture_sha256_form check (picture_sha256 ~ '^[0-9a-f]{64}$'),
            add constraint ck_images_picture_checksums check (num_nonnulls(picture_sha256, picture_crc32) in (0, 2))
        """
    )
    op.execute("comment on column images.picture_sha256 is 'of the stored picture; null: taken in before this was kept'")
    op.execute("comment on column images.picture_crc32 is 'likewise, as zip and gzip reckon it'")
