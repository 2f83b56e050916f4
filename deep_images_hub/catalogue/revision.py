"""Which schema this version needs, and which one the database has: one row to read, without Alembic, on Spark executors too."""

from sqlalchemy import Connection, text

from deep_images_hub.errors import UnavailableError

# The newest file in sql/migrations/versions; a test holds both equal.
HEAD_REVISION = "0037"


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the schema has; None when the catalogue was never migrated."""
    if connection.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("select version_num from alembic_version"))
    return revision


def check_revision(connection: Connection) -> None:
    """Raise UnavailableError unless the schema is of this version."""
    revision = current_revision(connection)
    if revision != HEAD_REVISION:
        found = f"at revision {revision}" if revision else "empty"
        raise UnavailableError(f"The catalogue is {found}; this version needs revision {HEAD_REVISION}. Run scripts/migrate.")
