"""Photographs of published lists are fetched from the web: which are still missing, and why.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    op.execute(
        """
        create table downloads (
            source text not null,
            name text not null,
            url text not null,
            label_id integer not null,
            licence text not null
                constraint ck_downloads_licence_known
                    check (licence in ('cc0', 'pdm', 'by', 'by-sa', 'by-nd', 'by-nc', 'by-nc-sa', 'by-nc-nd')),
            attribution text,
            size_bytes bigint,
            md5 text constraint ck_downloads_md5_form check (md5 ~ '^[0-9a-f]{32}$'),
            status text default 'waiting' not null
                constraint ck_downloads_status_known check (status in ('waiting', 'fetched', 'gone', 'differs')),
            problem text,
            attempts integer default 0 not null,
            tried_at timestamptz,
            batch_id bigint,
            constraint pk_downloads primary key (source, name),
            constraint ck_downloads_fetched_has_batch check ((status = 'fetched') = (batch_id is not null)),
            constraint ck_downloads_final_has_problem check (status not in ('gone', 'differs') or problem is not null),
            constraint fk_downloads_label_id foreign key (label_id) references labels (id),
            constraint fk_downloads_batch_id foreign key (batch_id) references batches (id)
        )
        """
    )
    op.execute("create index ix_downloads_waiting on downloads (source, name) where status = 'waiting'")
    op.execute(
        """
        comment on column downloads.source is 'the list that names it';
        comment on column downloads.name is 'its name there';
        comment on column downloads.size_bytes is 'as the list says';
        comment on column downloads.md5 is 'as the list says';
        comment on column downloads.problem is 'why it is missing';
        """
    )
