"""Descriptors of pictures with an index that finds near-duplicates, and the groups that these make.

Pictures from before have no descriptor, which cannot be had from their old hashes: near-duplicates of them are not found.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    op.execute("drop index ix_images_hash_bands")
    op.execute("drop function hash_bands(bigint)")
    op.execute("alter table images drop column difference_hash")
    op.execute("alter table staged_decisions drop column difference_hash")
    op.execute(
        """
        alter table staged_decisions
            add column whole_hash bigint,
            add column inner_hash bigint,
            add column grid bytea
        """
    )
    op.execute(
        """
        -- One of the three bands of 20 bits of a hash of 60, the first in its highest bits.
        create function hash_band(hash bigint, band integer) returns integer language sql immutable strict parallel safe
            return ((hash >> (40 - 20 * band)) & 1048575)::integer
        """
    )
    op.execute(
        """
        create table descriptors (
            image_id bigint not null,
            whole_hash bigint not null
                constraint ck_descriptors_whole_hash_range check (whole_hash between 0 and 1152921504606846975),
            inner_hash bigint not null
                constraint ck_descriptors_inner_hash_range check (inner_hash between 0 and 1152921504606846975),
            grid bytea not null constraint ck_descriptors_grid_length check (octet_length(grid) = 576),
            constraint pk_descriptors primary key (image_id),
            constraint fk_descriptors_image_id foreign key (image_id) references images (id)
        )
        """
    )
    # Grids do not compress; rows of 650 bytes need no side table either.
    op.execute("alter table descriptors alter column grid set storage plain")
    # Only what is known to be visible to all is answered from the index alone.
    op.execute("alter table descriptors set (autovacuum_vacuum_insert_scale_factor = 0.02)")
    for frame in ("whole", "inner"):
        for band in range(3):
            op.execute(
                f"create index ix_descriptors_{frame}_{band} on descriptors (hash_band({frame}_hash, {band}))"
                f" include ({frame}_hash, image_id)"
            )
    op.execute("comment on column descriptors.whole_hash is 'difference hash of the picture, 60 bits'")
    op.execute("comment on column descriptors.inner_hash is 'that of the picture without its margins'")
    op.execute("comment on column descriptors.grid is '24 x 24 grey levels'")
    op.execute(
        """
        create table duplicate_groups (
            image_id bigint not null,
            group_id bigint not null,
            constraint pk_duplicate_groups primary key (image_id),
            constraint ck_duplicate_groups_oldest_first check (group_id <= image_id),
            constraint fk_duplicate_groups_image_id foreign key (image_id) references images (id),
            constraint fk_duplicate_groups_group_id foreign key (group_id) references images (id)
        )
        """
    )
    op.execute("create index ix_duplicate_groups_group_id on duplicate_groups (group_id)")
    op.execute("comment on column duplicate_groups.group_id is 'the oldest picture of the group'")
    op.execute("alter table verdicts drop constraint ck_verdicts_check_name_known")
    op.execute(
        """
        alter table verdicts add constraint ck_verdicts_check_name_known
            check (check_name in ('bytes', 'decode', 'exact_duplicates', 'near_duplicates', 'odd_size', 'odd_aspect_ratio',
                'dark', 'light', 'low_information', 'blurry', 'label_agreement'))
        """
    )
