"""Send files that are made while they are sent: whole, from some byte on, or just what they are."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, request

from deep_images_hub.datasets.exports.files import ExportFile


def send(file: ExportFile, *, etag: str) -> Response:
    """Answer a request for a file with all of it, or with the range that is asked for where its length is known.

    Args:
        etag: another one means other bytes: who asks for the rest of something else gets the whole.
    """
    response = Response(mimetype=None, content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    # What is taken down must not be had from a cache.
    response.headers["Cache-Control"] = "private, no-store"
    response.set_etag(etag)
    if etag in request.if_none_match:
        response.status_code = HTTPStatus.NOT_MODIFIED
        return response
    size_bytes = file.size_bytes()
    response.headers["Accept-Ranges"] = "none" if size_bytes is None else "bytes"
    if size_bytes is None:
        # HEAD has no body, and must not begin to read one.
        response.response = file.blocks() if request.method == "GET" else []
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
    response.response = _up_to(file.blocks(start), stop - start) if request.method == "GET" else []
    response.content_length = stop - start
    return response


def _wanted(size_bytes: int, etag: str) -> tuple[int, int]:
    """Return the bytes that are asked for: from the first, to before the second. None of them: what is asked for is not there."""
    asked = request.range
    is_other = "If-Range" in request.headers and request.if_range.etag != etag
    # Several ranges at once are answered with the whole, which the protocol allows.
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or is_other:
        return 0, size_bytes
    return asked.range_for_length(size_bytes) or (0, 0)


def _up_to(blocks: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    for block in blocks:
        yield block[:size_bytes]
        size_bytes -= len(block)
        if size_bytes <= 0:
            return
