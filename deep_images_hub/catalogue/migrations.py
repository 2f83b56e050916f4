"""Bring the catalogue's schema to this version with the files of sql/migrations. `revision` tells whether it is needed."""

from pathlib import Path

from psycopg2 import errorcodes
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from deep_images_hub.catalogue.engine import connect_engine
from deep_images_hub.catalogue.revision import HEAD_REVISION, current_revision
from deep_images_hub.errors import UnavailableError
from deep_images_hub.resources import resource
from deep_images_hub.settings import Settings

MIN_SERVER_VERSION = 160_000

# The advisory lock under which one command at a time migrates; any number that nobody else takes.
_LOCK_KEY = 0x44494801
_WAIT_FOR_OTHERS_S = 120
_LOCK_TIMEOUT_S = 10
_STATEMENT_TIMEOUT_S = 900


def migrate(settings: Settings) -> str:
    """Upgrade the schema to this version, in one transaction, and return its revision. Several commands at once are harmless.

    Args:
        settings: with `database_url` filled in.

    Raises:
        UnavailableError: the database does not answer, is too old, has no pgvector, or is busy.
    """
    engine = connect_engine(settings, statement_timeout_s=_STATEMENT_TIMEOUT_S)
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


def upgrade(engine: Engine) -> str:
    """Upgrade the schema behind an engine: see `migrate`."""
    folder = resource("sql/migrations")
    if not isinstance(folder, Path):
        raise UnavailableError("Migrations cannot run out of a zip. Run scripts/migrate from a checkout or an installed package.")
    with engine.begin() as connection:
        _check_server(connection)
        _wait_for_others(connection)
        if current_revision(connection) != HEAD_REVISION:
            _run_alembic(connection, folder)
    return HEAD_REVISION


def _check_server(connection: Connection) -> None:
    version = int(connection.scalar(text("show server_version_num")) or 0)
    if version < MIN_SERVER_VERSION:
        raise UnavailableError(f"The database is PostgreSQL {version // 10_000}. The catalogue needs 16 or newer.")


def _wait_for_others(connection: Connection) -> None:
    connection.execute(text(f"set local lock_timeout = '{_WAIT_FOR_OTHERS_S}s'"))
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT_S}s'"))


def _run_alembic(connection: Connection, folder: Path) -> None:
    # Alembic costs a noticeable part of a second to import, and most commands find nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) in (errorcodes.FEATURE_NOT_SUPPORTED, errorcodes.UNDEFINED_FILE):
            raise UnavailableError(
                "The database has no pgvector. Install the extension `vector` (0.7 or newer) on the server, then run again."
            ) from error
        if getattr(error.orig, "pgcode", None) == errorcodes.INSUFFICIENT_PRIVILEGE:
            raise UnavailableError(
                "The database account may not make tables or the extension `vector`. Let its owner run scripts/migrate."
            ) from error
        raise
