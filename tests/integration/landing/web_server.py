"""A web server of our own for tests of fetching: files, and all that can go wrong with them."""

import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread


class Web(ThreadingHTTPServer):
    """Answers with `files`, by path, after as many failures of the kind `faults` as it was told.

    Attributes:
        files: bodies by path.
        faults: what to do instead, by path: a status, `reset`, `cut` (half of it), `silence`, `file` (sends on to a file),
            `flood` (sends on to itself, with a body without end) or `trailers` (a body, and headers without
            end behind it); and how many times.
        asked: how often each path was asked for.
        most_at_once: requests that were answered at the same time.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, tuple[int | str, int]] = {}
        self.asked: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fault(self, path: str) -> int | str | None:
        with self.lock:
            self.asked[path] += 1
            fault, left = self.faults.get(path, (None, 0))
            self.faults[path] = (fault or 0, left - 1)
        return fault if left > 0 else None

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients go away on purpose."""


class _Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        try:
            self.answer(self.server.fault(self.path))
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def answer(self, fault: int | str | None) -> None:
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if fault == "silence":
            # Until the client gives up.
            self.connection.recv(1)
            return
        if fault == "file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        if fault == "flood":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
            self.write_for_ever(bytes(1 << 16))
        if fault == "trailers":
            self.protocol_version = "HTTP/1.1"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"1\r\nx\r\n0\r\n")
            self.write_for_ever(b"A: b\r\n")
        body = self.server.files.get(self.path)
        if isinstance(fault, int) or body is None:
            self.send_error(fault if isinstance(fault, int) else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

    def write_for_ever(self, part: bytes) -> None:
        """Until the client goes away, which raises."""
        while True:
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Web]:
    with Web() as web:
        thread = Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield web
        web.shutdown()
        thread.join()
