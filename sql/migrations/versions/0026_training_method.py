"""A run says whether a pretrained backbone's top blocks are trained too.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision: str | None = "0025"


def upgrade() -> None:
    op.execute(
        """
        alter table training_runs
            add column method text default 'head' not null
                constraint ck_training_runs_method_known check (method in ('head', 'fine_tune'))
        """
    )
    op.execute(
        "comment on column training_runs.method is 'of a pretrained backbone: head alone, or fine_tune its top blocks after that'"
    )
