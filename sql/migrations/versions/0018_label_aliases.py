"""Labels are found by what else people call them.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision: str | None = "0017"


def upgrade() -> None:
    op.execute(
        r"""
        create table label_aliases (
            label_id integer not null,
            alias text not null constraint ck_label_aliases_alias_form
                check (alias ~ '^\S(.*\S)?$' and length(alias) <= 200),
            constraint pk_label_aliases primary key (label_id, alias),
            constraint fk_label_aliases_label_id foreign key (label_id) references labels (id)
        )
        """
    )
