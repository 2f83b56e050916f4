"""Files of exports that are kept in the store, so that they need not be put together again for each download.

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision: str | None = "0036"


def upgrade() -> None:
    op.execute(
        """
        create table kept_files (
            id bigint generated always as identity constraint pk_kept_files primary key,
            etag text not null,
            version_id bigint not null
                constraint fk_kept_files_version_id references dataset_versions (id),
            object_key text not null constraint uq_kept_files_object_key unique,
            size_bytes bigint not null,
            begun_at timestamptz default now() not null,
            kept_at timestamptz,
            used_at timestamptz default now() not null,
            is_forgotten boolean default false not null
        )
        """
    )
    op.execute("create index ix_kept_files_version_id on kept_files (version_id)")
    op.execute("create unique index uq_kept_files_etag on kept_files (etag) where kept_at is not null and not is_forgotten")
    op.execute("comment on column kept_files.size_bytes is 'about, until it is kept'")
    op.execute("comment on column kept_files.kept_at is 'null: it is being made, or whoever made it was killed'")
    op.execute("comment on column kept_files.used_at is 'to the minute'")
    op.execute("comment on column kept_files.is_forgotten is 'nobody gets it any more'")
