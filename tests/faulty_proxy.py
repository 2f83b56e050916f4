"""A real HTTP proxy before a real S3 service, that fails and lies by a seed.

    with FaultyProxy(swift.endpoint_url, seed=3) as proxy:
        ... proxy.endpoint_url ...      every connection, timeout and byte is real
        proxy.is_at_fault = False       from now on it is honest

Which request meets which fault depends on the seed, the request and how often it came before: not on threads or time.
"""

import http.client
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# What a client notices by itself, and asks again.
NOTICED = ("503", "reset", "stall", "cut off", "slow")
# An answer that is whole by its own length: only who compares it with what was stored sees that it is wrong.
LIES = ("shortened", "altered", "lengthened", "lost")
_SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_NO_SUCH_KEY = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>It was here a moment ago.</Message></Error>"
_HOP_BY_HOP = {"connection", "expect", "keep-alive", "transfer-encoding", "content-length"}


class FaultyProxy(ThreadingHTTPServer):
    """The proxy, as a context manager.

    Args:
        endpoint_url: of the service behind it.
        fault_rate: share of requests that meet a fault that is noticed.
        lie_rate: share of objects whose first answer is a lie.

    Attributes:
        asked: (method, path) of every request, in order.
        met: how often each fault was met.
    """

    daemon_threads = True

    def __init__(self, endpoint_url: str, *, seed: int, fault_rate: float = 0.15, lie_rate: float = 0.2) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.behind = urlsplit(endpoint_url).netloc
        self.endpoint_url = f"http://127.0.0.1:{self.server_port}"
        self.is_at_fault = True
        self.asked: list[tuple[str, str]] = []
        self.met: Counter[str] = Counter()
        self.is_over = Event()
        self._when_asked: tuple[int, Callable[[], None]] | None = None
        self._seed, self._fault_rate, self._lie_rate = seed, fault_rate, lie_rate
        self._lock = Lock()

    def after(self, requests: int, do: Callable[[], None]) -> None:
        """Do something once so many requests have come, before the next one is passed on."""
        self._when_asked = (requests, do)

    def fault_for(self, method: str, path: str) -> str | None:
        """Return what this request meets."""
        with self._lock:
            before = self.asked.count((method, path))
            if self._when_asked and len(self.asked) == self._when_asked[0]:
                self._when_asked[1]()
            self.asked.append((method, path))
            rng = random.Random(f"{self._seed}/{method}/{path}/{before}")
            fault = None
            if self.is_at_fault and rng.random() < self._fault_rate:
                fault = rng.choice(NOTICED if method == "GET" else ("503", "reset", "stall", "answer lost"))
            elif self.is_at_fault and method == "GET" and random.Random(f"{self._seed}/{path}").random() < self._lie_rate:
                fault = rng.choice(LIES)
            if fault:
                self.met[fault] += 1
            return fault

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up on us: some faults make them."""

    def __enter__(self) -> Self:
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.is_over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def pass_on(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault_for(self.command, self.path)
        if fault == "503":
            self._answer(503, {}, _SLOW_DOWN)
        elif fault == "lost":
            self._answer(404, {}, _NO_SUCH_KEY)
        elif fault == "reset":
            self._reset()
        elif fault == "stall":
            self._stall()
        else:
            self._answer_with(fault, *self._ask(sent))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = pass_on  # noqa: N815 - http.server's names

    def _answer_with(self, fault: str | None, status: int, headers: dict[str, str], body: bytes) -> None:
        match fault:
            case "answer lost":
                self._reset()
            case "cut off":
                self._answer(status, headers, body[: len(body) // 2], announced=len(body))
                self.close_connection = True
            case "shortened":
                self._answer(status, headers, body[: len(body) * 2 // 3])
            case "lengthened":
                self._answer(status, headers, body + bytes(1000))
            case "altered":
                middle = len(body) // 2
                self._answer(status, headers, body[:middle] + bytes(200) + body[middle + 200 :])
            case "slow":
                self._answer(status, headers, b"", announced=len(body))
                for start in range(0, len(body), 1 + len(body) // 5):
                    self.server.is_over.wait(0.02)
                    self.wfile.write(body[start : start + 1 + len(body) // 5])
            case _:
                self._answer(status, headers, body)

    def _ask(self, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        """Ask the service behind, with the headers as they came: they are signed."""
        service = http.client.HTTPConnection(self.server.behind, timeout=60)
        service.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                service.putheader(name, value)
        service.endheaders(sent)
        answer = service.getresponse()
        body = answer.read()
        service.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        if self.command == "HEAD":
            headers["Content-Length"] = answer.headers["Content-Length"]
        return answer.status, headers, body

    def _answer(self, status: int, headers: dict[str, str], body: bytes, announced: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body) if announced is None else announced), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Hang up with a reset, not with an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _stall(self) -> None:
        """Say nothing until the client has had enough."""
        self.connection.settimeout(30)
        try:
            self.connection.recv(1)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
