"""A mail server for tests: real SMTP over a socket, which keeps what it is given, and may be told to misbehave."""

from __future__ import annotations

import email
import socketserver
import threading
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Self


class SmtpServer:
    """Takes mail on a port of its own. A context manager.

    Attributes:
        messages: what was taken, in order.
        refusals: answers by recipient: an SMTP line, e.g. `550 no such user`.
        is_lost_in_data: hang up after each message was received, without saying that it was taken.
        says_goodbye_badly: answer QUIT with an error.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.messages: list[EmailMessage] = []
        self.refusals: dict[str, str] = {}
        self.is_lost_in_data = False
        self.says_goodbye_badly = False
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer._talk(self)

        self._server = socketserver.ThreadingTCPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.host, self.port = host, self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _talk(self, connection: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            connection.wfile.write(line.encode() + b"\r\n")

        say("220 test server")
        while line := connection.rfile.readline():
            command, _, rest = line.decode().strip().partition(" ")
            match command.upper():
                case "RCPT":
                    say(self.refusals.get(rest.partition("<")[2].partition(">")[0], "250 ok"))
                case "DATA":
                    say("354 go on")
                    body = b""
                    while (part := connection.rfile.readline()) != b".\r\n":
                        body += part.removeprefix(b".") if part.startswith(b"..") else part
                    self.messages.append(email.message_from_bytes(body, policy=default))  # type: ignore[arg-type]
                    if self.is_lost_in_data:
                        return
                    say("250 taken")
                case "QUIT":
                    say("421 not now" if self.says_goodbye_badly else "221 bye")
                    return
                case _:
                    say("250 ok")
