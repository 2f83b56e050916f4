"""Files of adopted trees that could not be had are written down; what waits to be fetched is read in pages.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision: str | None = "0014"

_REASONS = (
    "'manifest_too_large', 'not_a_manifest', 'unusable_name', 'other_supplier', 'unknown_supplier', 'unknown_label',"
    " 'missing_file', 'denied_file', 'size_differs', 'sha256_differs', 'file_too_large'"
)


def upgrade() -> None:
    op.execute("alter table deliveries drop constraint ck_deliveries_reason_known")
    op.execute(f"alter table deliveries add constraint ck_deliveries_reason_known check (reason in ({_REASONS}))")
    op.execute(
        f"""
        create table adoption_refusals (
            source text not null,
            folder text not null,
            name text not null,
            reason text not null constraint ck_adoption_refusals_reason_known check (reason in ({_REASONS})),
            problem text not null,
            refused_at timestamptz default now() not null,
            constraint pk_adoption_refusals primary key (source, folder, name)
        )
        """
    )
    op.execute(
        """
        comment on column adoption_refusals.source is 'URL of the tree';
        comment on column adoption_refusals.folder is 'key in the source';
        comment on column adoption_refusals.name is 'of the file in its folder';
        comment on column adoption_refusals.problem is 'the same, for people';
        """
    )
    op.execute("drop index ix_downloads_waiting")
    op.execute(
        """
        create index ix_downloads_waiting
            on downloads (source, attempts, label_id, licence, coalesce(left(attribution, 200), ''), name)
            where status = 'waiting'
        """
    )
