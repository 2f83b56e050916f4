"""People decide on pictures in review: each decision is a verdict of the ledger; the queue and what can be undone have indexes.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    op.execute("alter table submissions drop constraint ck_submissions_reason_known")
    op.execute(
        """
        alter table submissions add constraint ck_submissions_reason_known
            check (reason in ('missing', 'empty', 'too_large', 'not_an_image', 'unsupported_format', 'too_many_pixels',
                'animated', 'truncated', 'corrupt', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry', 'grayscale', 'label_agreement', 'wrong_label', 'not_a_photograph', 'unsuitable'))
        """
    )
    op.execute("create index ix_submissions_in_review on submissions (id) where status = 'review'")
    op.execute("create index ix_decision_changes_operators on decision_changes (user_id, id) where cause = 'operator'")
    op.execute("alter table verdicts drop constraint ck_verdicts_check_name_known")
    op.execute(
        """
        alter table verdicts add constraint ck_verdicts_check_name_known
            check (check_name in ('bytes', 'decode', 'exact_duplicates', 'near_duplicates', 'odd_size', 'odd_aspect_ratio',
                'dark', 'light', 'low_information', 'blurry', 'grayscale', 'label_agreement', 'review'))
        """
    )
    op.execute("alter table verdicts add column decision_change_id bigint")
    op.execute(
        "comment on column verdicts.decision_change_id is"
        " 'the decision that a person made by it, which says who; null: a check''s verdict'"
    )
    op.execute(
        "alter table verdicts add constraint fk_verdicts_decision_change_id"
        " foreign key (decision_change_id) references decision_changes (id)"
    )
    op.execute(
        "alter table verdicts add constraint ck_verdicts_person_has_decision"
        " check ((check_name = 'review') = (decision_change_id is not null))"
    )
    op.execute("alter table verdicts drop constraint uq_verdicts_judged_once")
    op.execute(
        """
        alter table verdicts add constraint uq_verdicts_judged_once
            unique nulls not distinct (submission_id, check_name, check_version, redecision_id, decision_change_id)
        """
    )
