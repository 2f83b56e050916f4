"""Send large files, those that are made while they are sent too: whole, from some byte on, or just what they are."""

import os
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO, Protocol

from flask import Response, request

from deep_images_hub.errors import UnavailableError
from deep_images_hub.object_store import ObjectStore

_BLOCK_BYTES = 1 << 20


class SentFile(Protocol):
    """A file that can be sent from any byte on."""

    @property
    def name(self) -> str:
        """What it is called where it is saved."""
        ...

    @property
    def media_type(self) -> str:
        """What it holds, as HTTP says it."""
        ...

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield its bytes from some byte on."""
        ...


@dataclass(frozen=True)
class StoredFile:
    """A file that lies in the store as it is sent."""

    name: str
    media_type: str
    store: ObjectStore
    key: str

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield its bytes from some byte on. Raises NotFoundError at the call."""
        return self.store.read_blocks(self.key, start=start)


class Beside(Protocol):
    """What becomes of the bytes of a file beside being sent, where all of them are. It fails for nobody who gets them."""

    def begin(self, size_bytes: int | None) -> bool:
        """Say whether anything is to become of them."""
        ...

    def add(self, block: bytes) -> None:
        """Take the next ones."""
        ...

    def end(self) -> None:
        """All were sent."""
        ...

    def give_up(self) -> None:
        """They broke off."""
        ...


def send(
    file: SentFile,
    *,
    etag: str,
    size_bytes: int | None,
    sha256: str | None,
    beside: Beside | None = None,
) -> Response:
    """Answer a request for a file with all of it, or with the range that is asked for where its length is known.

    Args:
        etag: another one means other bytes: who asks for the rest of something else gets the whole.
        size_bytes: its exact length; None: nobody knows.
        sha256: of it; None: nobody knows.
        beside: what else takes the bytes when all of them are sent.

    Raises:
        NotFoundError: it is not in the store.
        UnavailableError: it has another length there.
    """
    response = Response(mimetype=None, content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    # What is taken down must not be had from a cache.
    response.headers["Cache-Control"] = "private, no-store"
    response.set_etag(etag)
    if etag in request.if_none_match:
        response.status_code = HTTPStatus.NOT_MODIFIED
        return response
    response.headers["Accept-Ranges"] = "none" if size_bytes is None else "bytes"
    if size_bytes is None:
        # HEAD has no body, and must not begin to read one.
        response.response = _with_beside(_joined(file.blocks()), None, beside) if request.method == "GET" else []
        return response
    start, stop = _wanted(size_bytes, etag)
    if start >= stop and size_bytes:
        response.status_code = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        response.headers["Content-Range"] = f"bytes */{size_bytes}"
        del response.headers["Content-Disposition"]
        return response
    if (start, stop) != (0, size_bytes):
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    elif sha256:
        response.headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:"
    if request.method == "GET":
        if (opened := _opened(file, size_bytes)) is not None:
            opened.seek(start)
            # The server hands the file to the system, up to the length that is said: no byte of it passes through Python.
            response.response = request.environ["wsgi.file_wrapper"](opened, _BLOCK_BYTES)
            response.direct_passthrough = True
        else:
            blocks = _joined(_up_to(file.blocks(start), stop - start))
            is_all = (start, stop) == (0, size_bytes)
            response.response = _with_beside(blocks, size_bytes, beside) if is_all else blocks
    response.content_length = stop - start
    return response


def _wanted(size_bytes: int, etag: str) -> tuple[int, int]:
    """Return the bytes that are asked for: from the first, to before the second. None of them: what is asked for is not there."""
    asked = request.range if request.method == "GET" else None
    same = f'"{etag}"'
    # An address may say it too: curl sends no If-Range, and would join halves of two files.
    is_other = request.headers.get("If-Range", same) != same or request.args.get("etag", etag) != etag
    # Several ranges at once are answered with the whole, which the protocol allows.
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or is_other:
        return 0, size_bytes
    if (start := asked.ranges[0][0]) < 0:
        # The last so many bytes: of a shorter file all of them.
        return max(0, size_bytes + start), size_bytes
    return asked.range_for_length(size_bytes) or (0, 0)


def _joined(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what blocks hold in larger ones, the first at once: each is a call to the network."""
    waiting, size_bytes, enough = [], 0, 1
    for block in blocks:
        waiting.append(block)
        size_bytes += len(block)
        if size_bytes >= enough:
            yield b"".join(waiting)
            waiting, size_bytes, enough = [], 0, _BLOCK_BYTES
    yield b"".join(waiting)


def _with_beside(blocks: Iterator[bytes], size_bytes: int | None, beside: Beside | None) -> Iterator[bytes]:
    """Yield a whole file, and hand its bytes to what goes on beside."""
    if beside is None or not beside.begin(size_bytes):
        yield from blocks
        return
    try:
        # Hashing and writing take no part of Python's lock, so that they go on while the next block is made.
        with ThreadPoolExecutor(1) as thread:
            added: Future[None] | None = None
            for block in blocks:
                if added is not None:
                    added.result()
                added = thread.submit(beside.add, block)
                yield block
    except BaseException:
        beside.give_up()
        raise
    beside.end()


def _opened(file: SentFile, size_bytes: int) -> BinaryIO | None:
    """Open a file of this machine for a server that can hand it to the system; None: it is sent block by block."""
    if not isinstance(file, StoredFile) or "wsgi.file_wrapper" not in request.environ:
        return None
    opened = file.store.open_file(file.key)
    if opened is not None and (stored_bytes := opened.seek(0, os.SEEK_END)) != size_bytes:
        opened.close()
        raise UnavailableError(f"{file.key!r} has {stored_bytes} bytes in the store, and {size_bytes} were expected.")
    return opened


def _up_to(blocks: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    for block in blocks:
        yield block[:size_bytes]
        size_bytes -= len(block)
        if size_bytes <= 0:
            return
