"""Smaller answers for browsers that unpack gzip: the files of the portal itself, which are the same for everybody.

Pages and answers of the API stay as they are: they hold what somebody typed beside what only they may know, such as a form's
token, and the length of both packed together gives the second away (https://www.breachattack.com).
"""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

_ENDPOINTS = ("static", "home.gallery_ratios")
# All else that lies there is packed by itself.
_PACKED_TYPES = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")
# Smaller ones fit into the first packet anyway.
_MIN_BYTES = 1_000
_KEPT_FILES = 64


def register(app: Flask) -> None:
    """Pack the portal's own files once, for every process and whoever asks."""
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    if request.endpoint not in _ENDPOINTS or response.mimetype not in _PACKED_TYPES:
        return response
    response.vary.add("Accept-Encoding")
    is_whole = response.status_code == 200 and request.method == "GET"
    size_bytes = response.content_length or response.calculate_content_length() or 0
    if not is_whole or not request.accept_encodings["gzip"] or size_bytes < _MIN_BYTES:
        return response
    response.direct_passthrough = False
    response.set_data(_packed(response.get_data()))
    response.content_encoding = "gzip"
    # Another spelling of the same content: what is asked for again is compared by meaning, not by bytes.
    etag, _ = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)
    return response


@lru_cache(_KEPT_FILES)
def _packed(body: bytes) -> bytes:
    # No time of packing, so that every process gives the same bytes.
    return gzip.compress(body, compresslevel=9, mtime=0)
