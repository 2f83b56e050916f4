"""A portal that is served as `scripts/serve` does, people and programs who ask it for pages, and how long it took for each."""

import contextlib
import http.client
import os
import random
import re
import secrets
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Engine

from deep_images_hub.catalogue.api_tokens import create_token, revoke_token, tokens_of
from deep_images_hub.catalogue.users import change_password, create_user, user_by_email
from deep_images_hub.errors import UnavailableError
from deep_images_hub.measuring.own_hub import settings_in_environment
from deep_images_hub.measuring.portal_routes import Route, Routes
from deep_images_hub.settings import Settings

ANSWER_TIMEOUT_S = 60.0
_LOG_PAUSE_S = 0.05
# A program may ask so often, and no more: several share the work, as they would elsewhere.
_ACCOUNTS = 4
_ROUTE_HEADER = "X-Bench-Route"
# As gunicorn spells it: route, status, microseconds, bytes.
_LOG_LINE = f"%({{{_ROUTE_HEADER}}}i)s\t%(s)s\t%(D)s\t%(B)s"
# What it writes where somebody asked without saying for which route: to sign in, or for what a page loads.
_NO_ROUTE = "-"
_LISTENING = re.compile(r"Listening at: http://[^:]+:(\d+)")
_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
# What a page loads besides pictures.
_LOADED = re.compile(r'<(?:link rel="stylesheet"|link rel="icon"|script) [^>]*?(?:href|src)="(/[^"]+)"')

Headers = Mapping[str, str]
_BROWSER: Headers = {"Accept-Encoding": "gzip"}


class Answer(NamedTuple):
    """An answer as the portal's log has it. size_bytes: of its body."""

    route: str
    milliseconds: float
    size_bytes: int


@dataclass(frozen=True)
class Credentials:
    """What somebody shows who has an account: in a browser, and as a program."""

    cookie: Headers
    token: Headers

    def headers(self, route: Route) -> Headers:
        """Return what is shown for a route; nothing where nobody asks for it."""
        if not route.needs_account:
            return {}
        return self.token if route.is_for_programs else self.cookie


@dataclass(frozen=True)
class ServedPortal:
    """A portal that listens.

    Attributes:
        process_id: of gunicorn, whose children answer.
        log: a line an answer.
    """

    port: int
    process_id: int
    log: Path

    def get(self, address: str, headers: Headers) -> tuple[int, Mapping[str, str], bytes]:
        """Ask once; return the status, headers and body."""
        # A connection of its own, since the server closes one that is kept for a person who looks for long.
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)) as connection:
            connection.request("GET", address, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def sign_in(self, engine: Engine) -> list[Credentials]:
        """Sign some accounts in that may do all but operate the hub; those of an earlier run are used again."""
        return [self._signed_in(engine, number) for number in range(_ACCOUNTS)]

    def _signed_in(self, engine: Engine, number: int) -> Credentials:
        email, password = f"bench-{number}@example.org", secrets.token_urlsafe(24)
        with engine.begin() as connection:
            user = user_by_email(connection, email)
            if user is None:
                user = create_user(connection, email=email, display_name=f"Bench {number}", role="premium", password=password)
            else:
                user = change_password(connection, user, password, changed_by=None)
            for earlier in tokens_of(connection, user_id=user.id):
                revoke_token(connection, token_id=earlier.id, user_id=user.id)
            _, token = create_token(connection, user=user, name="bench", scopes=["read", "download"], lifetime_days=7)
        return Credentials(self._session(email, password), {"Authorization": f"Bearer {token}"})

    def _session(self, email: str, password: str) -> Headers:
        """Fill in the form as a browser does, and return the cookie."""
        _, headers, form = self.get("/sign-in", {})
        found = _FORM_TOKEN.search(form.decode())
        assert found, "the form to sign in has no token"
        sent = urlencode({"email": email, "password": password, "csrf_token": found[1]})
        cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)) as connection:
            connection.request("POST", "/sign-in", sent, {**cookie, "Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            kept = answer.getheader("Set-Cookie")
        if answer.status != http.HTTPStatus.FOUND or kept is None:
            raise UnavailableError(f"The portal answered {answer.status} where a new account signs in. See its log.")
        return {"Cookie": kept.partition(";")[0]}

    def loaded_bytes(self, address: str, headers: Headers) -> int:
        """Return how much a page loads besides itself and its pictures: styles, scripts, icons."""
        _, _, page = self.get(address, headers)
        return sum(len(self.get(loaded, _BROWSER)[2]) for loaded in set(_LOADED.findall(page.decode())))

    def asked(
        self, routes: Routes, people: Sequence[Credentials], clients: int, *, seconds: float, pause_s: float
    ) -> list[Answer]:
        """Let clients ask for a while, each for one route after the other, and return the answers in the server's words."""
        begin = self.log.stat().st_size
        until_s = time.monotonic() + seconds
        with ThreadPoolExecutor(clients) as pool:
            asking = [
                pool.submit(self._client, routes, people[number % len(people)], number, until_s, pause_s)
                for number in range(clients)
            ]
        return self._answers(begin, sum(client.result() for client in asking))

    def _answers(self, begin: int, count: int) -> list[Answer]:
        """Return so many answers that were written down from a byte of the log on. Each is, shortly after it was sent."""
        until_s = time.monotonic() + ANSWER_TIMEOUT_S
        while len(answers := list(_answers(self.log, begin))) < count and time.monotonic() < until_s:
            time.sleep(_LOG_PAUSE_S)
        return answers

    def _client(self, routes: Routes, person: Credentials, number: int, until_s: float, pause_s: float) -> int:
        """Ask for one route after the other, with pauses of half to one and a half times as long as said; return how often."""
        rng, names = random.Random(number), list(routes)
        first = turn = number * len(names) // _ACCOUNTS + number
        time.sleep(pause_s * rng.random())
        while time.monotonic() < until_s:
            turn += 1
            name = names[turn % len(names)]
            route = routes[name]
            self.get(rng.choice(route.addresses), {_ROUTE_HEADER: name, **person.headers(route)})
            time.sleep(pause_s * rng.uniform(0.5, 1.5))
        return turn - first


def by_route(answers: Sequence[Answer]) -> dict[str, list[float]]:
    """Return the milliseconds of answers by route, in the order of the routes' names."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        times[answer.route].append(answer.milliseconds)
    return dict(sorted(times.items()))


@contextlib.contextmanager
def served_portal(settings: Settings, log: Path) -> Iterator[ServedPortal]:
    """Serve a hub, with a line in the log for each answer."""
    environment = os.environ | settings_in_environment(settings)
    environment["GUNICORN_CMD_ARGS"] = f"--access-logfile={log} --access-logformat='{_LOG_LINE}'"
    command = [sys.executable, "-m", "deep_images_hub.cli.serve", "--port=0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield ServedPortal(_port_of(server), server.pid, log)
        finally:
            server.terminate()


def _port_of(server: "subprocess.Popen[str]") -> int:
    """Wait until a server listens, and go on reading what it says, which nobody needs."""
    assert server.stderr is not None
    said: list[str] = []
    for line in server.stderr:
        said.append(line)
        if found := _LISTENING.search(line):
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return int(found[1])
    raise UnavailableError(f"The portal did not start: {''.join(said[-8:]).strip()}")


def _answers(log: Path, begin: int) -> Iterator[Answer]:
    with log.open(encoding="utf-8") as lines:
        lines.seek(begin)
        for line in lines:
            route, status, microseconds, size_bytes = line.rstrip("\n").split("\t")
            if route == _NO_ROUTE:
                continue
            if status != "200":
                raise UnavailableError(f"The portal answered {status} to a request for {route!r}. See its log.")
            yield Answer(route, int(microseconds) / 1000, int(size_bytes))
