"""Open addresses of the web: http and https alone, public machines alone, and no answer beyond its time.

`urllib` bounds the wait for the next bytes only. Here the whole answer is bounded: headers, those of chunks and what comes behind
them too, which may trickle in for ever; and the bodies of redirects are not read at all.
"""

import io
import time
from functools import cache, partial
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from socket import socket
from ssl import SSLContext, create_default_context
from typing import IO, Any
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)


class NotPublicError(HTTPException):
    """An address, or where a server sends us on to, leads to this machine or into its network."""


def open_web(url: str, *, user_agent: str, silence_s: float, ends: float, only_public: bool = True) -> HTTPResponse:
    """Return the answer to a GET, by way of the environment's proxies, whose networks are their own business.

    Args:
        silence_s: longest wait for the next bytes.
        ends: when the answer must have come, by `time.monotonic`.
        only_public: connect to public addresses alone: lists, names and redirects may lead to services of one's own.

    Raises:
        NotPublicError: before anything is sent.
        OSError, HTTPException, ValueError: as `urllib` does.
    """
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        _Http(ends, only_public),
        _Https(ends, only_public),
        HTTPDefaultErrorHandler(),
        _Redirects(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    request = Request(url, headers={"User-Agent": user_agent})  # noqa: S310 - the opener knows http and https only
    answer: HTTPResponse = opener.open(request, timeout=silence_s)
    return answer


class _Until(io.RawIOBase):
    """What comes through a socket until a given time."""

    def __init__(self, raw: io.RawIOBase, ends: float) -> None:
        self._raw = raw
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._ends:
            raise TimeoutError("it came too slowly")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket, *given: Any, ends: float, **named: Any) -> None:
        super().__init__(sock, *given, **named)
        self.fp = io.BufferedReader(_Until(self.fp.detach(), ends))


class _Connection(HTTPConnection):
    only_public = True

    def set_tunnel(self, *given: Any, **named: Any) -> None:
        super().set_tunnel(*given, **named)
        # We connect to the proxy, which looks for the address itself.
        self.only_public = False

    def connect(self) -> None:
        super().connect()
        address = self.sock.getpeername()[0]
        if self.only_public and not ip_address(address).is_global:
            self.close()
            raise NotPublicError(f"{self.host!r} leads to {address}, which is no address of the public web")


class _SecureConnection(HTTPSConnection, _Connection):
    """Connects as _Connection does, and shakes hands only then."""


def _connection(kind: type[_Connection], ends: float, only_public: bool, *given: Any, **named: Any) -> _Connection:
    connection = kind(*given, **named)
    connection.response_class = partial(_Answer, ends=ends)  # type: ignore[assignment]
    connection.only_public = only_public
    return connection


class _Http(HTTPHandler):
    def __init__(self, ends: float, only_public: bool) -> None:
        super().__init__()
        self._ends = ends
        self._only_public = only_public

    def http_open(self, req: Request) -> HTTPResponse:
        only_public = self._only_public and not req.has_proxy()
        return self.do_open(partial(_connection, _Connection, self._ends, only_public), req)


class _Https(HTTPSHandler):
    def __init__(self, ends: float, only_public: bool) -> None:
        super().__init__(context=_tls())
        self._made = partial(_connection, _SecureConnection, ends, only_public)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._made, req, context=_tls())


class _Redirects(HTTPRedirectHandler):
    def http_error_302(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage) -> Any:
        # Otherwise its body would be read, whole.
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


@cache
def _tls() -> SSLContext:
    """Return what checks certificates, read from the disk once."""
    return create_default_context()
