"""What each batch gave to each dataset version, counted once when a version is frozen.

Revision ID: 0035
Revises: 0034
"""

from alembic import op

revision = "0035"
down_revision: str | None = "0034"


def upgrade() -> None:
    op.execute(
        """
        create table version_batches (
            version_id bigint not null,
            batch_id bigint not null,
            label_id integer not null,
            split text not null,
            image_count integer not null,
            first_taken_at timestamptz,
            last_taken_at timestamptz,
            constraint pk_version_batches primary key (version_id, batch_id, label_id, split),
            constraint fk_version_batches_version_id foreign key (version_id) references dataset_versions (id),
            constraint fk_version_batches_batch_id foreign key (batch_id) references batches (id),
            constraint fk_version_batches_label_id foreign key (label_id) references labels (id),
            constraint ck_version_batches_split_known check (split in ('train', 'validation', 'test'))
        )
        """
    )
    op.execute("comment on column version_batches.first_taken_at is 'of those whose supplier said; null: of none'")
    op.execute(
        """
        insert into version_batches
        select
            dataset_items.version_id, images.batch_id, dataset_items.label_id, dataset_items.split, count(*),
            min(images.taken_at), max(images.taken_at)
        from dataset_items
        join images on images.id = dataset_items.image_id
        group by dataset_items.version_id, images.batch_id, dataset_items.label_id, dataset_items.split
        """
    )
