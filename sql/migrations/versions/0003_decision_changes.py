"""Decisions after intake's have a history, and a network may doubt a label.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.execute("alter table submissions drop constraint ck_submissions_reason_known")
    op.execute(
        """
        alter table submissions add constraint ck_submissions_reason_known
            check (reason in ('missing', 'empty', 'too_large', 'not_an_image', 'unsupported_format', 'too_many_pixels',
                'animated', 'truncated', 'corrupt', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry', 'label_agreement'))
        """
    )
    op.execute("alter table verdicts drop constraint ck_verdicts_check_name_known")
    op.execute(
        """
        alter table verdicts add constraint ck_verdicts_check_name_known
            check (check_name in ('bytes', 'decode', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry', 'label_agreement'))
        """
    )
    op.execute(
        """
        create table decision_changes (
            id bigint generated always as identity,
            submission_id bigint not null,
            from_status text not null,
            from_reason text,
            to_status text not null,
            to_reason text,
            image_label_id bigint,
            cause text not null constraint ck_decision_changes_cause_known check (cause in ('redecide', 'network', 'operator')),
            detail text,
            user_id bigint,
            created_at timestamptz default now() not null,
            constraint pk_decision_changes primary key (id),
            constraint ck_decision_changes_changes_something
                check ((from_status, from_reason) is distinct from (to_status, to_reason)),
            constraint fk_decision_changes_submission_id foreign key (submission_id) references submissions (id),
            constraint fk_decision_changes_image_label_id foreign key (image_label_id) references image_labels (id),
            constraint fk_decision_changes_user_id foreign key (user_id) references users (id)
        )
        """
    )
    op.execute("create index ix_decision_changes_submission_id on decision_changes (submission_id)")
    op.execute("comment on column decision_changes.image_label_id is 'the label that its picture got or lost by this'")
    op.execute("comment on column decision_changes.detail is 'for people: what brought it about'")
    op.execute("comment on column decision_changes.user_id is 'who decided; null where nobody signed'")
