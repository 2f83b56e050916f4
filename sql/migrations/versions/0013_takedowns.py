"""People report pictures, operators take them down, and dataset versions that had them get a patch.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    op.execute("alter table submissions drop constraint ck_submissions_reason_known")
    op.execute(
        """
        alter table submissions add constraint ck_submissions_reason_known
            check (reason in ('missing', 'empty', 'too_large', 'not_an_image', 'unsupported_format', 'too_many_pixels',
                'animated', 'truncated', 'corrupt', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry', 'grayscale', 'label_agreement', 'wrong_label', 'not_a_photograph', 'unsuitable',
                'taken_down'))
        """
    )
    op.execute("alter table images add column taken_down_at timestamptz")
    op.execute("comment on column images.taken_down_at is 'since then nobody but operators may see it'")
    op.execute("create index ix_images_taken_down on images (id) where taken_down_at is not null")
    op.execute(
        """
        create table picture_reports (
            id bigint generated always as identity,
            image_id bigint not null,
            user_id bigint not null,
            reason text not null constraint ck_picture_reports_reason_known
                check (reason in ('people', 'rights', 'offensive', 'wrong_label', 'other')),
            note text constraint ck_picture_reports_note_length check (length(note) <= 1000),
            created_at timestamptz default now() not null,
            outcome text constraint ck_picture_reports_outcome_known check (outcome in ('kept', 'taken_down')),
            decided_by bigint,
            decided_at timestamptz,
            constraint pk_picture_reports primary key (id),
            constraint ck_picture_reports_decided_by_somebody check (num_nulls(outcome, decided_by, decided_at) in (0, 3)),
            constraint fk_picture_reports_image_id foreign key (image_id) references images (id),
            constraint fk_picture_reports_user_id foreign key (user_id) references users (id),
            constraint fk_picture_reports_decided_by foreign key (decided_by) references users (id)
        )
        """
    )
    op.execute("comment on column picture_reports.outcome is 'null: no operator has decided yet'")
    op.execute("create unique index uq_picture_reports_open on picture_reports (image_id, user_id) where outcome is null")
    op.execute("create index ix_picture_reports_open on picture_reports (id) where outcome is null")
    op.execute("alter table dataset_versions add column patched_by bigint")
    op.execute("comment on column dataset_versions.patched_by is 'the same without what was taken down since'")
    op.execute(
        "alter table dataset_versions add constraint fk_dataset_versions_patched_by"
        " foreign key (patched_by) references dataset_versions (id)"
    )
    op.execute("create index ix_dataset_versions_patched_by on dataset_versions (patched_by)")
