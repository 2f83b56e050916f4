"""The seam between the hub and whatever holds its bytes.

A key is a relative POSIX path in NFC, such as `images/ab/cd/<sha256>.jpg`: no empty part, no `.` or `..`, no backslash, no
control character, at most 900 bytes in UTF-8. Objects under `landing/` and `images/` are never changed once they exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ObjectStat:
    """What a store knows of an object without reading it."""

    key: str
    size_bytes: int


class ObjectStore(Protocol):
    """Bytes by key. Safe to share between threads; pickles, so that Spark can hand it to executors.

    Every method raises UnavailableError when the store cannot be reached after its own retries, and InvalidInputError for a key
    that breaks the rules above.
    """

    @property
    def url(self) -> str:
        """Where it is, e.g. `file:///srv/hub` or `s3://bucket/prefix`. Holds no secret."""
        ...

    def create(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store an object unless the key is taken, atomically: of many callers at once exactly one gets True."""
        ...

    def replace(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Store an object, whatever was there. Readers see the old body or the new one, never a part."""
        ...

    def create_from_file(self, key: str, path: str, content_type: str = "application/octet-stream") -> bool:
        """Like `create`, streaming a local file of any size."""
        ...

    def read(self, key: str) -> bytes:
        """Return a whole object. Raises NotFoundError."""
        ...

    def read_blocks(self, key: str, block_bytes: int = 1 << 20) -> Iterator[bytes]:
        """Yield an object in blocks, memory flat. Raises NotFoundError before the first block."""
        ...

    def stat(self, key: str) -> ObjectStat:
        """Return an object's size. Raises NotFoundError."""
        ...

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectStat]:
        """Yield objects whose key starts with a prefix, in order of the key's UTF-8 bytes, after a given key."""
        ...

    def copy(self, source_key: str, key: str) -> bool:
        """Copy within the store, without the bytes passing through us where it can. False when the key is taken."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object. Nothing happens when there is none."""
        ...
