"""Open the catalogue: one engine a process, and COPY. The only place where the driver's errors are translated."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, NoReturn

import psycopg2
from psycopg2 import errorcodes
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError

from deep_images_hub.catalogue.revision import check_revision
from deep_images_hub.errors import SettingsError, UnavailableError
from deep_images_hub.settings import Settings

CONNECT_TIMEOUT_S = 10
LOCK_TIMEOUT_S = 30
STATEMENT_TIMEOUT_S = 120
# Connections that one process keeps, and those that it may open beyond them in a rush.
POOL_SIZE = 5
MAX_OVERFLOW = 10

_COPY_BLOCK_CHARACTERS = 1 << 20
_HINTS = {
    errorcodes.LOCK_NOT_AVAILABLE: f"a lock was not to be had within {LOCK_TIMEOUT_S} s: somebody else changes the same rows",
    errorcodes.QUERY_CANCELED: f"a statement was stopped after {STATEMENT_TIMEOUT_S} s",
    errorcodes.DISK_FULL: "the database's disk is full. Make room there",
    errorcodes.TOO_MANY_CONNECTIONS: "the database takes no more connections",
    errorcodes.DEADLOCK_DETECTED: "two transactions waited for each other, and this one was given up",
}


def open_engine(settings: Settings) -> Engine:
    """Open the catalogue that the settings name, in UTC and under lock and statement timeouts.

    Safe to share between threads; not between processes: each opens its own.

    Raises:
        SettingsError: `database_url` is empty or not a PostgreSQL address.
        UnavailableError: the database does not answer, or its schema is not of this version.
    """
    engine = connect_engine(settings, statement_timeout_s=STATEMENT_TIMEOUT_S)
    try:
        with engine.connect() as connection:
            check_revision(connection)
    except UnavailableError:
        engine.dispose()
        raise
    return engine


def connect_engine(settings: Settings, *, statement_timeout_s: float) -> Engine:
    """Like `open_engine`, whatever the schema is: for migrations. Connects on first use. statement_timeout_s 0: none."""
    url = _database_url(settings)
    timeouts = f"-c lock_timeout={LOCK_TIMEOUT_S}s -c statement_timeout={round(statement_timeout_s * 1000)}ms"
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "deep_images_hub",
            "options": f"-c timezone=UTC {timeouts}",
        },
    )
    shown = url.render_as_string(hide_password=True)

    def translate(context: ExceptionContext) -> None:
        _translate(context, shown)

    event.listen(engine, "handle_error", translate)
    return engine


def _database_url(settings: Settings) -> URL:
    if settings.database_url is None:
        raise SettingsError(
            "The setting database_url is empty and no PostgreSQL of our own was started. "
            "Start the command through scripts/, or set HUB_DATABASE_URL to postgresql://user:password@host:port/name."
        )
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError as error:
        raise SettingsError("database_url is not an address. Expected: postgresql://user:password@host:port/name.") from error
    if url.get_backend_name() != "postgresql":
        raise SettingsError(
            f"database_url starts with {url.drivername!r}. Expected: postgresql://user:password@host:port/name; "
            "the catalogue needs PostgreSQL 16 or newer with pgvector."
        )
    return url.set(drivername="postgresql+psycopg2")


def _translate(context: ExceptionContext, shown_url: str) -> None:
    """Turn what means "not now" into UnavailableError; leave every other error of the driver as it is."""
    if not isinstance(context.original_exception, Exception):
        # A Ctrl-C in the middle of a statement: the connection is lost, but the database is well.
        return
    _refuse_for_now(shown_url, context.original_exception)
    code = getattr(context.original_exception, "pgcode", None)
    is_lost = context.is_disconnect or (isinstance(context.sqlalchemy_exception, OperationalError) and code is None)
    if is_lost and not context.is_pre_ping:
        _refuse(shown_url, context.original_exception)


def _refuse_for_now(shown_url: str, error: Exception) -> None:
    """Raise UnavailableError where the database says itself why it cannot do something now; else return."""
    hint = _HINTS.get(getattr(error, "pgcode", None) or "")
    if hint is not None:
        raise UnavailableError(f"The catalogue at {shown_url} cannot do this now: {hint}. Try again.")


def _refuse(shown_url: str, error: BaseException) -> NoReturn:
    first_line = str(error).strip().partition("\n")[0] or type(error).__name__
    raise UnavailableError(
        f"The catalogue at {shown_url} cannot be reached: {first_line}. Check that PostgreSQL runs there and that "
        "HUB_DATABASE_URL names it with the right user and password."
    )


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Append rows to a table by COPY, within the connection's transaction; memory stays flat, whatever the number of rows.

    Args:
        table: a table's name from the code, never from input.
        columns: names from the code too, in the order of the values.
        rows: None becomes NULL; datetimes must have a zone; all other values go by `str`. An error that it raises comes through.

    Returns:
        How many rows were sent.

    Raises:
        UnavailableError: the connection was lost, or the database cannot take them now.
        IntegrityError: a row breaks a rule of the table (SQLAlchemy's, as everywhere else).
    """
    stream = _CopyStream(rows)
    quoted = ", ".join(f'"{column}"' for column in columns)
    statement = f'copy "{table}" ({quoted}) from stdin'
    try:
        with closing[Any](connection.connection.cursor()) as cursor:
            cursor.copy_expert(statement, stream, size=_COPY_BLOCK_CHARACTERS)
    except psycopg2.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except psycopg2.OperationalError as error:
        if stream.failure is not None:
            raise stream.failure from None
        shown_url = connection.engine.url.render_as_string(hide_password=True)
        _refuse_for_now(shown_url, error)
        _refuse(shown_url, error)
    return stream.row_count


# The backslash first: the others bring some. Looked for one by one, which for long texts is ten times as fast as `str.translate`.
_COPY_ESCAPES = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))


def _copied(value: object) -> str:
    """Return a value as COPY's text format has it."""
    if value is None:
        return r"\N"
    text = str(value)
    for sign, escape in _COPY_ESCAPES:
        if sign in text:
            text = text.replace(sign, escape)
    return text


class _CopyStream:
    """Rows in COPY's text format, as a stream to read from: COPY pulls, so nothing piles up.

    Attributes:
        row_count: rows read so far.
        failure: what the rows raised, if they did: the driver would hide it behind an error of its own.
    """

    def __init__(self, rows: Iterable[Sequence[object]]) -> None:
        self._rows = iter(rows)
        self._rest = ""
        self.row_count = 0
        self.failure: Exception | None = None

    def read(self, size: int) -> str:
        """Return at most `size` characters; an empty text at the end."""
        lines, length = [self._rest], len(self._rest)
        while length < size:
            try:
                row = next(self._rows, None)
            except Exception as failure:  # handed on by copy_rows, unchanged
                self.failure = failure
                raise
            if row is None:
                break
            line = "\t".join(map(_copied, row)) + "\n"
            lines.append(line)
            length += len(line)
            self.row_count += 1
        text = "".join(lines)
        self._rest = text[size:]
        return text[:size]
