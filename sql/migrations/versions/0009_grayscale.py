"""Pictures without colour are told apart: a check, and a reason where the settings make it one.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    op.execute("alter table submissions drop constraint ck_submissions_reason_known")
    op.execute(
        """
        alter table submissions add constraint ck_submissions_reason_known
            check (reason in ('missing', 'empty', 'too_large', 'not_an_image', 'unsupported_format', 'too_many_pixels',
                'animated', 'truncated', 'corrupt', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry', 'grayscale', 'label_agreement'))
        """
    )
    op.execute("alter table verdicts drop constraint ck_verdicts_check_name_known")
    op.execute(
        """
        alter table verdicts add constraint ck_verdicts_check_name_known
            check (check_name in ('bytes', 'decode', 'exact_duplicates', 'near_duplicates', 'odd_size', 'odd_aspect_ratio',
                'dark', 'light', 'low_information', 'blurry', 'grayscale', 'label_agreement'))
        """
    )
