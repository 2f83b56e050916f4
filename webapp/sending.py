"""Send large files, those that are made while they are sent too: whole, from some byte on, or just what they are."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Protocol

from flask import Response, request

from deep_images_hub.catalogue.export_files import KnownFile

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


def send(
    file: SentFile,
    *,
    etag: str,
    size_bytes: int | None,
    sha256: str | None,
    keep: Callable[[KnownFile], None] = lambda _found: None,
) -> Response:
    """Answer a request for a file with all of it, or with the range that is asked for where its length is known.

    Args:
        etag: another one means other bytes: who asks for the rest of something else gets the whole.
        size_bytes: its exact length; None: nobody knows.
        sha256: of it; None: nobody knows.
        keep: called with what was found out, when there was something to, once all of it was sent.
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
        response.response = _watched(_joined(file.blocks()), keep) if request.method == "GET" else []
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
        is_all = sha256 is None and (start, stop) == (0, size_bytes)
        blocks = _joined(_up_to(file.blocks(start), stop - start))
        response.response = _watched(blocks, keep) if is_all else blocks
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


def _watched(blocks: Iterator[bytes], keep: Callable[[KnownFile], None]) -> Iterator[bytes]:
    """Yield a whole file, and say in the end what it was."""
    digest, size_bytes = hashlib.sha256(), 0
    # Hashing takes no part of Python's lock, so that it goes on while the next block is made.
    with ThreadPoolExecutor(1) as hashing:
        hashed: Future[None] | None = None
        for block in blocks:
            if hashed is not None:
                hashed.result()
            hashed = hashing.submit(digest.update, block)
            size_bytes += len(block)
            yield block
    keep(KnownFile(size_bytes, digest.hexdigest()))


def _up_to(blocks: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    for block in blocks:
        yield block[:size_bytes]
        size_bytes -= len(block)
        if size_bytes <= 0:
            return
