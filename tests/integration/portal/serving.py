"""The portal behind a real socket, for clients that are programs of their own: it notes what is asked, and fails when told to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from werkzeug.serving import make_server

from deep_images_hub.client import downloads, hub_client, sending, transport


def let_client_do(monkeypatch: pytest.MonkeyPatch, instead_of_sleeping: Callable[[float], None]) -> None:
    """Let the client do something where it would sleep. Other threads of this process, Spark's among them, go on sleeping."""
    clock = SimpleNamespace(sleep=instead_of_sleeping, monotonic=time.monotonic)
    for module in (downloads, hub_client, sending, transport):
        monkeypatch.setattr(module, "time", clock)


class Served:
    """The portal on a port of its own.

    Attributes:
        asked: method, path and Range of every request, in order.
        busy: answers in place of the portal's, the first first: a status, and what `Retry-After` says.
        cuts: so many requests are done, and their connections cut before the answer, where the address ends as `cuts_at` says.
        forgets: so many parts of uploads are taken in, and answered as if the hub was busy.
        stalls_after: the next file stops after so many bytes until `goes_on` is set.
    """

    def __init__(self, app) -> None:
        self._app = app.wsgi_app
        self.asked: list[tuple[str, str, str | None]] = []
        self.busy: list[tuple[int, str]] = []
        self.stalls_after: int | None = None
        self.cuts, self.cuts_at = 0, ("/parts",)
        self.forgets = 0
        self.has_stalled, self.goes_on = threading.Event(), threading.Event()
        self._server = make_server("127.0.0.1", 0, self, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def __call__(self, environ, start_response):
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_RANGE")))
        if self.busy:
            status, retry_after = self.busy.pop(0)
            start_response(f"{status} Busy", [("Retry-After", retry_after), ("Content-Length", "0")])
            return [b""]
        if self.forgets and environ["PATH_INFO"].endswith("/parts"):
            self.forgets -= 1
            self._app(environ, lambda *_said: None).close()
            start_response("503 Busy", [("Retry-After", "1"), ("Content-Length", "0")])
            return [b""]
        body = self._app(environ, start_response)
        if self.cuts and environ["PATH_INFO"].endswith(self.cuts_at):
            self.cuts -= 1
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        if self.stalls_after is not None and "/exports/imagefolder/" in environ["PATH_INFO"]:
            stalls_after, self.stalls_after = self.stalls_after, None
            return self._stalling(b"".join(body), stalls_after)
        return body

    def _stalling(self, body: bytes, stalls_after: int) -> Iterator[bytes]:
        yield body[:stalls_after]
        self.has_stalled.set()
        self.goes_on.wait(60)
        yield body[stalls_after:]

    def close(self) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
