"""The seam between the hub and whatever holds its bytes.

A key is a relative POSIX path in NFC, such as `images/ab/cd/<sha256>.jpg`: no empty part, no `.` or `..`, no backslash, no
control character, at most 900 bytes in UTF-8 and 255 in one part, and not under `.incoming/`. A key that ends where another goes
on with `/` cannot be had beside it: a folder holds `a` or `a/b`, never both. Objects under `landing/` and `images/` are never
changed once they exist.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Protocol


@dataclass(frozen=True)
class ObjectStat:
    """What a store knows of an object without reading it.

    Attributes:
        modified_at: when it was stored, in UTC, by the store's clock. Two stats are equal whatever it says.
    """

    key: str
    size_bytes: int
    modified_at: datetime = field(compare=False)


@dataclass(frozen=True)
class SubFolder:
    """A part of the keys of a store: those that begin with its key and a slash."""

    key: str


@dataclass(frozen=True)
class UnusableName:
    """Something that somebody else put into a store and that cannot be an object of ours.

    Attributes:
        name: what it is called there, as ASCII in quotes: it may hold anything.
        problem: why it cannot be one, for people.
    """

    name: str
    problem: str


class ObjectStore(Protocol):
    """Bytes by key. Safe to share between threads; pickles, so that Spark can hand it to executors.

    A process that is killed anywhere leaves whole objects or none. Every method raises UnavailableError when the store cannot be
    reached after its own retries, and InvalidInputError for a key that breaks the rules above. What reads an object raises
    DeniedError when the store answers and does not give it out.
    """

    @property
    def url(self) -> str:
        """Where it is, e.g. `file:///srv/hub` or `s3://bucket/prefix`. Holds no secret."""
        ...

    @property
    def requests_at_once(self) -> int:
        """How many requests one who wants many objects should have under way; 1: it answers faster than a thread is woken."""
        ...

    def create(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store an object unless the key is taken, atomically: of many callers at once exactly one gets True.

        Where the connection broke and the request was sent again, the one whose body was stored may get False too.
        """
        ...

    def replace(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Store an object, whatever was there. Readers see the old body or the new one, never a part."""
        ...

    def create_from_file(self, key: str, path: str, content_type: str = "application/octet-stream") -> bool:
        """Like `create`, streaming a local file of any size. Raises NotFoundError when there is no such file."""
        ...

    def creating(
        self, key: str, content_type: str = "application/octet-stream"
    ) -> AbstractContextManager[Callable[[bytes], None]]:
        """Give what adds bytes to an object of any length, memory flat: it is there, on the disk, once the block ends.

        Where the block raises, or its process is killed, there is no object. Raises ConflictError, at its end, when the key is
        taken.
        """
        ...

    def read(self, key: str) -> bytes:
        """Return a whole object. Raises NotFoundError."""
        ...

    def read_blocks(self, key: str, block_bytes: int = 1 << 20, *, start: int = 0) -> Iterator[bytes]:
        """Yield an object in blocks, memory flat. Raises NotFoundError at the call, before the first block is asked for.

        Args:
            start: bytes at the beginning that are left out, fewer than the object has.
        """
        ...

    def open_file(self, key: str) -> BinaryIO | None:
        """Open an object that is a file of this machine; None: no object of this store is one. Raises NotFoundError."""
        ...

    def stat(self, key: str) -> ObjectStat:
        """Return an object's size. Raises NotFoundError."""
        ...

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectStat]:
        """Yield objects whose key starts with a prefix, in order of the key's UTF-8 bytes, after a given key.

        Raises InvalidInputError when it comes upon something that cannot be an object, in a store that others fill too.
        """
        ...

    def list_folder(self, folder: str = "", start_after: str = "") -> "Iterator[ObjectStat | SubFolder | UnusableName]":
        """Yield what lies right in a folder, sub-folders by name alone, whatever is in them; nothing where there is no folder.

        Others may fill the store too: what cannot be an object is named, and does not stop the listing.

        Args:
            folder: key of a folder, without a slash at the end; empty: the top.
            start_after: key of an object right in the folder; only what comes after it is asked for and yielded.

        Returns:
            In order of the key's UTF-8 bytes, a sub-folder's with a slash at the end.
        """
        ...

    def copy(self, source_key: str, key: str, *, source: "ObjectStore | None" = None) -> bool:
        """Copy an object, without the bytes passing through us where it can; atomic like `create`.

        Args:
            source_key: key in `source`.
            key: key of the copy, in this store.
            source: the store to copy from; None: this one.

        Returns:
            False when the key is taken.

        Raises:
            NotFoundError: there is no such object in the source.
        """
        ...

    def signed_url(self, key: str, *, lifetime_s: int) -> str | None:
        """Return an address that gives the object to whoever has it, for so long; None: the store has none of its own.

        Asks nobody: an object that does not exist has one too.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object. Nothing happens when there is none."""
        ...

    def flush(self) -> None:
        """Return once everything stored so far would survive a power cut. Call it before the catalogue is told of new objects.

        One call for many objects: to wait for the disk at each of them makes intake several times slower.
        """
        ...
