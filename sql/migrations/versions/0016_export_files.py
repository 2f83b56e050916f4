"""What is known of files that were exported: their length and sha256.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision: str | None = "0015"


def upgrade() -> None:
    op.execute(
        """
        create table export_files (
            etag text not null constraint pk_export_files primary key,
            size_bytes bigint not null,
            sha256 text not null constraint ck_export_files_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
            created_at timestamptz default now() not null
        )
        """
    )
    op.execute(
        "comment on column export_files.etag is 'of a version, a part of it, a format and a file: the same bytes every time'"
    )
