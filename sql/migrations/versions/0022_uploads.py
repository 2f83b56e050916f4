"""Photographs are sent through the portal, in parts; a supplier's batches are read in order from an index.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision: str | None = "0021"

_UPLOADS = """
    create table uploads (
        id bigint generated always as identity constraint pk_uploads primary key,
        key text not null constraint uq_uploads_key unique,
        supplier_id bigint not null constraint fk_uploads_supplier_id references users (id),
        label_id integer not null constraint fk_uploads_label_id references labels (id),
        licence text not null constraint ck_uploads_licence_known check (
            licence in ('cc0', 'pdm', 'by', 'by-sa', 'by-nd', 'by-nc', 'by-nc-sa', 'by-nc-nd')
        ),
        attribution text,
        place_query text,
        place_id bigint constraint fk_uploads_place_id references places (id),
        uses_positions boolean not null,
        next_position integer default 0 not null,
        sealed_at timestamptz,
        changed_at timestamptz default now() not null,
        created_at timestamptz default now() not null
    );
    create index ix_uploads_supplier_id on uploads (supplier_id);
    comment on column uploads.key is 'of the batch that it becomes';
    comment on column uploads.place_query is 'the place that the supplier named';
    comment on column uploads.place_id is 'what it stands for';
    comment on column uploads.uses_positions is 'the photographs say where they were taken, and it may be known';
    comment on column uploads.sealed_at is 'when nothing could be added any more: it is becoming a batch'
"""

_FILES = """
    create table upload_files (
        upload_id bigint not null constraint fk_upload_files_upload_id references uploads (id) on delete cascade,
        position integer not null,
        filename text not null,
        size_bytes bigint not null constraint ck_upload_files_not_empty check (size_bytes > 0),
        sha256 text constraint ck_upload_files_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
        received_bytes bigint default 0 not null,
        object_key text constraint uq_upload_files_object_key unique,
        landed_sha256 text,
        taken_at timestamptz,
        place_id bigint constraint fk_upload_files_place_id references places (id),
        is_examined boolean default false not null,
        expected_reason text,
        constraint pk_upload_files primary key (upload_id, position),
        constraint ck_upload_files_received_range check (received_bytes between 0 and size_bytes),
        constraint ck_upload_files_landed_is_whole check (object_key is null or received_bytes = size_bytes),
        constraint ck_upload_files_reason_was_found check (expected_reason is null or is_examined)
    );
    comment on column upload_files.filename is 'as the supplier named it; shown, never opened';
    comment on column upload_files.sha256 is 'as the sender says';
    comment on column upload_files.object_key is 'where it lies once it is whole';
    comment on column upload_files.landed_sha256 is 'of what lies there, which no longer says where it was taken';
    comment on column upload_files.place_id is 'the known place that is nearest to where it was taken';
    comment on column upload_files.is_examined is 'the portal looked at it';
    comment on column upload_files.expected_reason is 'why intake would refuse it'
"""

_PARTS = """
    create table upload_parts (
        upload_id bigint not null,
        position integer not null,
        start_byte bigint not null,
        size_bytes bigint not null constraint ck_upload_parts_not_empty check (size_bytes > 0),
        object_key text not null constraint uq_upload_parts_object_key unique,
        constraint pk_upload_parts primary key (upload_id, position, start_byte),
        constraint fk_upload_parts_upload_files foreign key (upload_id, position)
            references upload_files (upload_id, position) on delete cascade
    )
"""


def upgrade() -> None:
    for statement in (_UPLOADS, _FILES, _PARTS):
        op.execute(statement)
    op.execute("create index ix_batches_supplier_id_submitted_at_id on batches (supplier_id, submitted_at, id)")
    op.execute("drop index ix_batches_supplier_id")
