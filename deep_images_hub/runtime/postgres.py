"""A PostgreSQL of our own for the laptop default: nothing to install, one folder of state, no stranger gets in.

    python -m deep_images_hub.runtime.postgres start|stop|status FOLDER

The server listens on 127.0.0.1 alone, on a port chosen once and kept, and asks for a random password (scram-sha-256). It
outlives the command that started it; every later command finds it and uses it. In the folder:

    data/  the database cluster        password   of the role `hub`, for our account's eyes only
    server.log                         port       kept until a stranger takes it
    lock   held while a command starts or stops the server

A copy of the folder gets a server of its own: the one at the port that was copied too is another folder's.

`postgres_programs` knows where the programs are and which account runs them.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2 import sql

from deep_images_hub.errors import HubError, UnavailableError
from deep_images_hub.runtime.file_lock import locked
from deep_images_hub.runtime.postgres_programs import MAJOR_VERSION, PostgresPrograms, find_programs

HOST = "127.0.0.1"
DATABASE = "hub"
ROLE = "hub"

# Below the range that systems take outgoing connections from, so that the kept port is seldom taken while we are away.
_PORTS = range(20_000, 32_000)
_PORT_ATTEMPTS = 50
_CONNECT_TIMEOUT_S = 3
_RETRY_S = 0.2
_LOG_LINES_SHOWN = 8
_LOG_KEPT_BYTES = 10_000_000
_DATABASE_BEING_MADE = f"{DATABASE}_being_made"

_SERVER_OPTIONS = {
    "listen_addresses": HOST,
    # TCP alone: a socket's path may not be longer than 107 bytes, and a checkout's path may.
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """The server whose state lies in one folder. Making the object does nothing."""

    def __init__(self, folder: Path, *, start_timeout_s: float = 60.0) -> None:
        """Name the server of a folder.

        Args:
            folder: made when missing, by `start`.
            start_timeout_s: longest wait for a start, recovery after a crash included, and for other commands that start it.
        """
        self.folder = folder.absolute()
        self.log_file = self.folder / "server.log"
        self._data = self.folder / "data"
        self._password_file = self.folder / "password"
        self._port_file = self.folder / "port"
        self._start_timeout_s = start_timeout_s

    @property
    def url(self) -> str:
        """Where the database is: postgresql://role:password@host:port/database.

        Raises:
            UnavailableError: the server of this folder was never started.
        """
        return f"postgresql://{ROLE}:{self._password()}@{HOST}:{self._port()}/{DATABASE}"

    def is_running(self) -> bool:
        """Tell whether the server answers and has its database."""
        return self._port_file.exists() and self._password_file.exists() and self._answers(DATABASE)

    def start(self) -> str:
        """Start the server unless it runs, with a database and the extension `vector`, and return its URL.

        Safe to call from several processes at once, after a crash of the server, and after any earlier start was killed.

        Raises:
            UnavailableError: the folder cannot be used, no port is to be had, or the server does not start; the message
                says which and what to do.
        """
        with self._clear_errors():
            if self.is_running():
                return self.url
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.folder / "lock", timeout_s=2 * self._start_timeout_s):
                if not self.is_running():
                    programs = find_programs()
                    self._make_cluster(programs)
                    self._launch(programs)
                    self._make_database()
            return self.url

    def stop(self) -> None:
        """Stop the server and wait for it to end. Open transactions are rolled back. Harmless when it does not run.

        Raises:
            UnavailableError: it did not end in time.
        """
        if not self._data.is_dir():
            return
        with self._clear_errors(), locked(self.folder / "lock", timeout_s=2 * self._start_timeout_s):
            self._remove_stale_pid_file()
            if not (self._data / "postmaster.pid").exists():
                return
            begin = self._log_length()
            if self._pg_ctl(find_programs(), "stop", "--mode=fast") != 0 and self._answers("postgres"):
                raise UnavailableError(f"PostgreSQL did not stop. {self._last_log_lines(begin)}")

    def _password(self) -> str:
        return _read_line(self._password_file)

    def _port(self) -> int:
        return int(_read_line(self._port_file))

    def _answers(self, database: str) -> bool:
        """Tell whether our own server is at the port: it knows our password, and our data folder is the one that it serves."""
        try:
            with contextlib.closing(self._connect(database)) as connection, connection.cursor() as cursor:
                # When the file itself was last changed: not even a copy that keeps all times has that of what it is copied from.
                cursor.execute("select extract(epoch from change)::bigint from pg_stat_file('PG_VERSION', missing_ok => true)")
                return cursor.fetchone() == (int((self._data / "PG_VERSION").stat().st_ctime),)
        except psycopg2.OperationalError as error:
            return "too many clients" in str(error)
        except FileNotFoundError:
            return False

    def _connect(self, database: str) -> "psycopg2.extensions.connection":
        connection = psycopg2.connect(
            host=HOST,
            port=self._port(),
            user=ROLE,
            password=self._password(),
            dbname=database,
            connect_timeout=_CONNECT_TIMEOUT_S,
            sslmode="disable",
        )
        connection.autocommit = True
        return connection

    def _make_cluster(self, programs: PostgresPrograms) -> None:
        """Make the data folder unless there is one: aside first, so that an interrupted attempt leaves nothing half made."""
        if self._data.is_dir():
            self._check_cluster()
            return
        for abandoned in self.folder.glob("data.new-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        _write_private(self._password_file, secrets.token_urlsafe(32))
        aside = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.folder))
        programs.own(aside)
        begin = self._log_length()
        # initdb reads the password as the server's account, which may not read our own file.
        with tempfile.NamedTemporaryFile(dir=self.folder) as password, self.log_file.open("ab") as log:
            password.write(self._password().encode() + b"\n")
            password.flush()
            programs.own(Path(password.name))
            status = programs.run(
                "initdb",
                f"--username={ROLE}",
                f"--pwfile={programs.handed_over(password.fileno(), Path(password.name))}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # The same order of names on every system, by code point.
                "--no-locale",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                folder=aside,
                files=[password],
                output=log,
                timeout_s=self._start_timeout_s,
            )
        if status != 0:
            shutil.rmtree(aside, ignore_errors=True)
            raise UnavailableError(f"PostgreSQL's data folder could not be made. {self._last_log_lines(begin)}")
        aside.rename(self._data)

    def _check_cluster(self) -> None:
        version = _read_line(self._data / "PG_VERSION")
        if version != MAJOR_VERSION:
            raise UnavailableError(
                f"{self._data} was made by PostgreSQL {version}, and this is version {MAJOR_VERSION}. Dump it with the old "
                "version and restore it into a new folder, or start with an empty HUB_HOME."
            )
        if not self._password_file.exists():
            raise UnavailableError(
                f"{self._password_file} is missing, and without it nobody can sign in to {self._data}. Restore the file, or "
                "start with an empty HUB_HOME."
            )

    def _launch(self, programs: PostgresPrograms) -> None:
        if self._log_length() > _LOG_KEPT_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        if not self._port_file.exists():
            self._choose_port()
        deadline = time.monotonic() + self._start_timeout_s
        # A command that was killed while it started the server leaves one that answers, or will in a moment.
        while not self._answers("postgres"):
            begin = self._log_length()
            self._remove_stale_pid_file()
            if self._pg_ctl(programs, "start", f"--options=-p {self._port()} {_as_arguments(_SERVER_OPTIONS)}") == 0:
                continue
            reason = self._log_since(begin)
            if "could not bind" in reason or "could not create any TCP/IP sockets" in reason:
                self._choose_port()
            elif "already exists" not in reason and "still in use" not in reason:
                raise UnavailableError(f"PostgreSQL could not be started. {self._last_log_lines(begin)}")
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"PostgreSQL could not be started within {self._start_timeout_s:.0f} s. {self._last_log_lines(begin)}"
                )
            time.sleep(_RETRY_S)

    def _make_database(self) -> None:
        """Make the database under another name and rename it when it is whole: one that is there has its extension."""
        with contextlib.closing(self._connect("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_database where datname = %s", [DATABASE])
            if cursor.fetchone() == (1,):
                return
            being_made = sql.Identifier(_DATABASE_BEING_MADE)
            cursor.execute(sql.SQL("drop database if exists {}").format(being_made))
            cursor.execute(sql.SQL("create database {}").format(being_made))
            with contextlib.closing(self._connect(_DATABASE_BEING_MADE)) as inside, inside.cursor() as inside_cursor:
                inside_cursor.execute("create extension vector")
            cursor.execute(sql.SQL("alter database {} rename to {}").format(being_made, sql.Identifier(DATABASE)))

    def _pg_ctl(self, programs: PostgresPrograms, verb: str, *arguments: str) -> int:
        wait_s = max(1, int(self._start_timeout_s))
        with self.log_file.open("ab") as log:
            return programs.run(
                "pg_ctl", verb, "--silent", "--wait", f"--timeout={wait_s}", *arguments,
                folder=self._data, output=log, timeout_s=wait_s + 30,
            )  # fmt: skip

    def _choose_port(self) -> None:
        for _ in range(_PORT_ATTEMPTS):
            port = secrets.choice(_PORTS)
            with socket.socket() as candidate:
                try:
                    candidate.bind((HOST, port))
                except OSError:
                    continue
            _write_private(self._port_file, str(port))
            return
        raise UnavailableError(
            f"No port of {HOST} is to be had: {_PORT_ATTEMPTS} between {_PORTS.start} and {_PORTS.stop} were tried. "
            "Free some, or set HUB_DATABASE_URL to a PostgreSQL that runs already."
        )

    def _remove_stale_pid_file(self) -> None:
        """Remove the pid file of a killed server whose number another process of this account has by now.

        PostgreSQL sees by itself when the number is free. After a container's restart numbers are small and soon given again.
        """
        pid_file = self._data / "postmaster.pid"
        if not Path("/proc/self/cwd").exists():
            return
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int(_first_line(pid_file))
            # A server's processes, the orphans of a killed one included, have the data folder as their working folder.
            if Path(f"/proc/{pid}").exists() and not any(_processes_in(self._data)):
                pid_file.unlink()

    def _log_length(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _log_since(self, begin: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    def _last_log_lines(self, begin: int) -> str:
        lines = self._log_since(begin).strip().splitlines()[-_LOG_LINES_SHOWN:]
        return f"The last lines of {self.log_file}:\n" + "\n".join(f"    {line}" for line in lines)

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Say what a system's error means for the reader."""
        try:
            yield
        except OSError as error:
            raise UnavailableError(
                f"The database in {self.folder} cannot be run: {error.strerror or error} ({error.filename}). "
                "Make room, set HUB_HOME to a folder that can be written, or HUB_DATABASE_URL to a PostgreSQL that runs already."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"PostgreSQL in {self.folder} did not answer within {error.timeout:.0f} s. See {self.log_file}."
            ) from error
        except psycopg2.Error as error:
            raise UnavailableError(f"PostgreSQL runs but cannot be used: {str(error).strip()}. See {self.log_file}.") from error


def main(arguments: list[str] | None = None) -> int:
    """Start, stop or look at the server of a folder. Returns the exit status; `status` gives 3 when it does not run."""
    parser = argparse.ArgumentParser(prog="python -m deep_images_hub.runtime.postgres", description=main.__doc__)
    parser.add_argument("verb", choices=["start", "stop", "status"])
    parser.add_argument("folder", type=Path, help="the folder `postgres` under HUB_HOME")
    given = parser.parse_args(arguments)
    server = EmbeddedPostgres(given.folder)
    try:
        if given.verb == "start":
            server.start()
        elif given.verb == "stop":
            server.stop()
    except HubError as error:
        print(error, file=sys.stderr)
        return 1
    running = server.is_running()
    print(f"runs on {HOST}:{server._port()}" if running else "does not run")
    return 0 if running or given.verb != "status" else 3


def _as_arguments(options: dict[str, str]) -> str:
    return " ".join(f"-c {name}='{value}'" for name, value in options.items())


def _processes_in(folder: Path) -> Iterator[int]:
    """Yield the processes that work in a folder, as far as we may see (Linux)."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and (process / "cwd").samefile(folder):
                yield int(process.name)


def _write_private(path: Path, line: str) -> None:
    """Write a file that only we can read, all at once."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0] if path.stat().st_size else ""


def _read_line(path: Path) -> str:
    try:
        return _first_line(path)
    except FileNotFoundError as error:
        raise UnavailableError(f"{path} does not exist: this PostgreSQL was never started.") from error


if __name__ == "__main__":
    sys.exit(main())
