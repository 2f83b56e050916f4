"""Batches come from other places: what became of suppliers' manifests, and how far trees of label folders were taken in.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.execute("alter table batches add column origin text")
    op.execute("create index ix_batches_origin on batches (origin) where origin is not null")
    op.execute(
        """
        create table deliveries (
            source text not null,
            manifest_key text not null,
            size_bytes bigint not null,
            modified_at timestamptz not null,
            status text not null constraint ck_deliveries_status_known check (status in ('landed', 'refused')),
            reason text constraint ck_deliveries_reason_known check (
                reason in (
                    'manifest_too_large', 'not_a_manifest', 'unusable_name', 'other_supplier', 'unknown_supplier',
                    'unknown_label', 'missing_file', 'size_differs', 'sha256_differs', 'file_too_large'
                )
            ),
            problem text,
            supplier_id bigint,
            batch_id bigint,
            unnamed_count integer,
            decided_at timestamptz default now() not null,
            constraint pk_deliveries primary key (source, manifest_key),
            constraint ck_deliveries_landed_has_batch check ((status = 'landed') = (batch_id is not null)),
            constraint ck_deliveries_refusal_has_reason check (
                (status = 'refused') = (reason is not null) and (reason is null) = (problem is null)
            ),
            constraint fk_deliveries_supplier_id foreign key (supplier_id) references users (id),
            constraint fk_deliveries_batch_id foreign key (batch_id) references batches (id)
        )
        """
    )
    op.execute("create index ix_deliveries_refused on deliveries (supplier_id, decided_at) where status = 'refused'")
    op.execute(
        """
        create table adopted_folders (
            source text not null,
            folder text not null,
            marker text collate "C" not null,
            marked_at timestamptz default now() not null,
            constraint pk_adopted_folders primary key (source, folder)
        )
        """
    )
    op.execute(
        """
        comment on column batches.origin is 'where its photographs were copied from; null: they were sent here';
        comment on column deliveries.source is 'URL of the place';
        comment on column deliveries.manifest_key is 'of the supplier''s manifest, in the source';
        comment on column deliveries.size_bytes is 'with modified_at: tells whether it has changed since';
        comment on column deliveries.reason is 'why it was refused';
        comment on column deliveries.problem is 'the same, for people';
        comment on column deliveries.supplier_id is 'whom it names, where that could be read';
        comment on column deliveries.batch_id is 'what it became';
        comment on column deliveries.unnamed_count is 'objects in its folder that it does not name';
        comment on column adopted_folders.source is 'URL of the tree';
        comment on column adopted_folders.folder is 'key in the source';
        comment on column adopted_folders.marker is 'name of the last file that was taken in';
        """
    )
