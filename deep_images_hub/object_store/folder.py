"""Objects as plain files under one folder: the laptop default, and any folder that photographs are taken from.

An object is written to a file of its own under `.incoming/` and then gets its key by link() or rename(), both of which happen at
once or not at all: whoever looks sees a whole object or none, also after kill -9 and when two processes race. Nothing waits for
the disk until `flush`: a dead process loses nothing that it wrote, only a power cut does.

Only plain files are objects. Symbolic links are refused, so that no key leads out of the folder.
"""

import errno
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from operator import itemgetter
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO
from urllib.parse import quote

from deep_images_hub.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, UnavailableError
from deep_images_hub.object_store.interface import ObjectStat, ObjectStore, SubFolder, UnusableName
from deep_images_hub.object_store.keys import INCOMING, check_key, check_key_start
from deep_images_hub.object_store.relay import begun, copy_through, local_file

_BLOCK_BYTES = 1 << 20
# A file under .incoming/ that nobody has touched for so long belongs to a process that is dead.
_LEFTOVER_AGE_S = 24 * 3600.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


@dataclass(frozen=True)
class FolderStore:
    """An ObjectStore in a folder. A folder that does not exist is an empty store; the first object makes it.

    Attributes:
        folder: absolute, symbolic links resolved. Must be on a file system that has hard links.
    """

    folder: Path

    def __post_init__(self) -> None:
        # Links above the folder are the operator's business; from here on none is followed.
        object.__setattr__(self, "folder", Path(os.path.realpath(self.folder)))

    @property
    def url(self) -> str:
        """Where it is, as a file URL."""
        return "file://" + quote(str(self.folder))

    @property
    def requests_at_once(self) -> int:
        """A thread that reads while another one examines costs intake an eighth of its rate (docs/experiments.md)."""
        return 1

    def create(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store an object unless the key is taken."""
        with self._translated(key), self._folder_of(key) as folder:
            if self._is_taken(key, folder):
                return False
            with self._incoming() as (file, path):
                file.write(body)
                file.close()
                return self._give_key(path, key, folder)

    def replace(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Store an object, whatever was there."""
        with self._translated(key), self._folder_of(key) as folder, self._incoming() as (file, path):
            file.write(body)
            file.close()
            self._is_taken(key, folder)
            os.replace(path, _name(key), dst_dir_fd=folder)

    def create_from_file(self, key: str, path: str, content_type: str = "application/octet-stream") -> bool:
        """Like `create`, streaming a local file of any size."""
        with local_file(path) as source, self._translated(key), self._folder_of(key) as folder:
            if self._is_taken(key, folder):
                return False
            with self._incoming() as (file, incoming):
                copyfileobj(source, file, _BLOCK_BYTES)
                file.close()
                return self._give_key(incoming, key, folder)

    @contextmanager
    def creating(self, key: str, content_type: str = "application/octet-stream") -> Iterator[Callable[[bytes], None]]:
        """Give what adds bytes to an object, which is there once the block ends."""
        with self._translated(key), self._folder_of(key) as folder, self._incoming() as (file, path):

            def add(block: bytes) -> None:
                with self._translated(key):
                    file.write(block)

            yield add
            file.flush()
            os.fsync(file.fileno())
            if not self._give_key(path, key, folder):
                raise ConflictError(f"There is an object {key!r} already.")

    def read(self, key: str) -> bytes:
        """Return a whole object."""
        path = f"{self.folder}/{check_key(key)}"
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path takes as long as reading a picture
                if _opened_path(file.fileno()) != path:
                    self._path(key)
                return file.read()
        except OSError:
            # A `with` around all of it takes half as long as reading a picture, too.
            with self._reading(key):
                # Where a link leads on, this says so.
                self._path(key)
                raise

    def read_blocks(self, key: str, block_bytes: int = _BLOCK_BYTES, *, start: int = 0) -> Iterator[bytes]:
        """Yield an object in blocks. A replaced object is read to its old end."""
        return begun(self._blocks(key, block_bytes, start))

    def open_file(self, key: str) -> FileIO:
        """Open an object's file. One look shows that no link led there; resolving its path takes one for each folder."""
        path = f"{self.folder}/{check_key(key)}"
        with self._reading(key):
            try:
                file = open(path, "rb", buffering=0)  # noqa: PTH123, SIM115 - a Path takes as long as reading a picture
            except OSError:
                # Where a link leads on, this says so.
                self._path(key)
                raise
        if _opened_path(file.fileno()) != path:
            with ExitStack() as when_refused:
                when_refused.callback(file.close)
                self._path(key)
                when_refused.pop_all()
        return file

    def stat(self, key: str) -> ObjectStat:
        """Return an object's size."""
        path = self._path(key)
        with self._reading(key):
            status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise self._not_found(key)
        return ObjectStat(key, status.st_size, _modified_at(status))

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectStat]:
        """Yield objects in order of the key's UTF-8 bytes, reading only folders that can hold such keys."""
        check_key_start(prefix)
        check_key_start(start_after)
        directory, slash, _ = prefix.rpartition("/")
        # Also refuses a prefix that leads through a symbolic link.
        top = self._path(directory) if directory else self.folder
        return self._walk(os.fsencode(top), (directory + slash).encode(), prefix.encode(), start_after.encode())

    def list_folder(self, folder: str = "", start_after: str = "") -> "Iterator[ObjectStat | SubFolder | UnusableName]":
        """Yield what lies right in a folder. The file system gives all names of it at once; only what is yielded is looked at."""
        top = self._path(folder) if folder else self.folder
        if start_after:
            check_key(start_after)
        return self._entries(os.fsencode(top), f"{folder}/".encode() if folder else b"", start_after.encode())

    def copy(self, source_key: str, key: str, *, source: ObjectStore | None = None) -> bool:
        """Copy an object. Within the folder it is one more name for the same bytes: no object is ever changed in place."""
        if source is not None and source != self:
            return copy_through(source, source_key, self, key)
        check_key(key)
        path = self._path(source_key)
        with self._reading(source_key):
            if not path.is_file():
                raise self._not_found(source_key)
        with self._translated(key), self._folder_of(key) as folder:
            return self._give_key(path, key, folder)

    def signed_url(self, key: str, *, lifetime_s: int) -> str | None:
        """Return None: nobody but us reads the folder."""
        return None

    def delete(self, key: str) -> None:
        """Remove an object. Its folder stays: another process may be about to write there."""
        path = self._path(key)
        with self._translated(key), suppress(*_ABSENT):
            path.unlink()

    def flush(self) -> None:
        """Return once the disk has everything."""
        os.sync()

    def remove_leftovers(self) -> None:
        """Remove what processes that were killed while writing left under `.incoming/` more than a day ago."""
        incoming = self.folder / INCOMING
        oldest = time.time() - _LEFTOVER_AGE_S
        with self._translated(INCOMING), suppress(*_ABSENT):
            for entry in os.scandir(incoming):
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    Path(entry.path).unlink()

    def _path(self, key: str) -> Path:
        """Return an object's file, which need not exist."""
        path = self.folder / check_key(key)
        if os.path.realpath(path) != str(path):
            raise InvalidInputError(
                f"The key {key!r} leads through a symbolic link under {self.folder}. A store holds plain files and folders only: "
                "put the file itself in its place."
            )
        return path

    @contextmanager
    def _folder_of(self, key: str) -> Iterator[int]:
        """Open the folder that an object lies in, made where it is missing.

        What is put there by way of the open folder cannot be led astray by a link that somebody lays across its path meanwhile.
        """
        folder = f"{self.folder}/{check_key(key)}".rpartition("/")[0]
        try:
            opened = os.open(folder, _FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            # New folders are made where the path leads, so it must lead through no link.
            self._path(key)
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                Path(folder).mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                problem = f"A part of {folder} is an object, so nothing can lie under it"
                raise ConflictError(f"{problem}. Choose another key.") from error
            opened = os.open(folder, _FOLDER)
        try:
            if _opened_path(opened) != folder:
                self._path(key)
                # A link may have been there a moment ago, and be gone.
                if not os.path.samestat(os.fstat(opened), Path(folder).stat()):
                    raise UnavailableError(f"{folder} was changed while {key!r} was put into it. Try again.")
            yield opened
        finally:
            os.close(opened)

    def _is_taken(self, key: str, folder: int) -> bool:
        """Say whether an object has the key in its open folder. Raises ConflictError when it is a folder itself."""
        try:
            mode = os.stat(_name(key), dir_fd=folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(mode):
            raise ConflictError(f"{key!r} is a folder of other objects, so it cannot be an object too. Choose another key.")
        if stat.S_ISLNK(mode):
            self._path(key)
        return True

    def _give_key(self, path: Path, key: str, folder: int) -> bool:
        """Give a complete file its key unless the key is taken, at once."""
        try:
            os.link(path, _name(key), dst_dir_fd=folder)
        except FileExistsError:
            return not self._is_taken(key, folder)
        return True

    @contextmanager
    def _incoming(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Open a new file that no key leads to, and remove that name of it in the end."""
        path = self.folder / INCOMING / uuid.uuid4().hex
        try:
            file = path.open("xb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        try:
            with file:
                yield file, path
        finally:
            # `replace` has moved it away.
            path.unlink(missing_ok=True)

    def _blocks(self, key: str, block_bytes: int, start: int) -> Iterator[bytes]:
        with self.open_file(key) as file:
            file.seek(start)
            while True:
                with self._translated(key):
                    block = file.read(block_bytes)
                if not block:
                    return
                yield block

    def _walk(self, directory: bytes, parent_key: bytes, prefix: bytes, start_after: bytes) -> Iterator[ObjectStat]:
        for name, entry in self._scanned(directory, parent_key):
            key = parent_key + name
            if name.endswith(b"/"):
                is_wanted = key.startswith(prefix) or prefix.startswith(key)
                is_behind = key <= start_after and not start_after.startswith(key)
                if is_wanted and not is_behind and key != INCOMING.encode() + b"/":
                    yield from self._walk(entry.path, key, prefix, start_after)
            elif key.startswith(prefix) and key > start_after and (found := self._found(key, entry)):
                yield found

    def _entries(
        self, directory: bytes, parent_key: bytes, start_after: bytes
    ) -> "Iterator[ObjectStat | SubFolder | UnusableName]":
        for name, entry in self._scanned(directory, parent_key):
            key = parent_key + name
            if key <= start_after or key == INCOMING.encode() + b"/":
                continue
            try:
                if name.endswith(b"/"):
                    yield SubFolder(_checked(key[:-1], entry))
                elif found := self._found(key, entry):
                    yield found
            except InvalidInputError as error:
                yield UnusableName(ascii(os.fsdecode(key)), str(error))

    def _scanned(self, directory: bytes, parent_key: bytes) -> "Iterator[tuple[bytes, os.DirEntry[bytes]]]":
        """Yield what is in a directory in order, folders with a slash at the end; nothing where there is no directory."""
        with self._translated(os.fsdecode(parent_key)):
            try:
                entries = list(os.scandir(directory))
            except (FileNotFoundError, NotADirectoryError):
                return
        # "a-b" comes before "a/b", and "a0" after it: a folder sorts as its keys go on, with a slash.
        named = ((entry.name + b"/" if entry.is_dir(follow_symlinks=False) else entry.name, entry) for entry in entries)
        yield from sorted(named, key=itemgetter(0))

    def _found(self, key: bytes, entry: "os.DirEntry[bytes]") -> ObjectStat | None:
        """Return what a walk came upon; None when it has been deleted meanwhile."""
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "neither a file nor a folder"
            raise InvalidInputError(
                f"{os.fsdecode(entry.path)!r} is {kind}; only plain files can be objects. "
                "Put the file itself in its place, or remove it."
            )
        return ObjectStat(_checked(key, entry), status.st_size, _modified_at(status))

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """Turn what the file system says about an object that is read into the hub's errors."""
        with self._translated(key, reads=True):
            try:
                yield
            except _ABSENT as error:
                raise self._not_found(key) from error

    @contextmanager
    def _translated(self, key: str, *, reads: bool = False) -> Iterator[None]:
        """Turn what the file system says into the hub's errors; with `reads`, of an object that is asked for."""
        try:
            yield
        except OSError as error:
            is_denied = error.errno in _DENIED
            if error.errno in _NO_ROOM:
                advice = "There is no room left: free some, or set HUB_HOME or HUB_STORE_URL to a place with more"
            elif is_denied or error.errno == errno.EROFS:
                advice = "This account must be able to read and write there, on a file system that has hard links"
            else:
                advice = "It must be a folder on a disk that works"
            problem = f"The object store cannot use {key!r} in {self.folder}: {error.strerror}"
            raise (DeniedError if reads and is_denied else UnavailableError)(f"{problem}. {advice}.") from error

    def _not_found(self, key: str) -> NotFoundError:
        return NotFoundError(f"There is no object {key!r} in {self.url}.")


def _opened_path(opened: int) -> str | None:
    """Return where an open file or folder lies, symbolic links resolved; None: this system does not say."""
    try:
        return os.readlink(f"/proc/self/fd/{opened}")  # noqa: PTH115 - as above
    except FileNotFoundError:
        return None


def _checked(key: bytes, entry: "os.DirEntry[bytes]") -> str:
    """Return the key of what a walk came upon. Raises InvalidInputError when it cannot be one."""
    try:
        return check_key(key.decode())
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"The name of {os.fsdecode(entry.path)!r} is not UTF-8, so it cannot be an object. Rename the file."
        ) from error


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _modified_at(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)
