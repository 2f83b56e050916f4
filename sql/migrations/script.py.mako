"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision or "-"}
"""

from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}
