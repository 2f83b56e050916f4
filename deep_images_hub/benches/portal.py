"""The portal's pages at 20 people who page as fast as they can look, over a catalogue of 1.74 million made-up pictures.

    in the server   from the first byte of a request to the last of its answer, as gunicorn says it
    saturated       the same people, who ask again without looking: what the machine can answer at most

People ask for a page a second each, of one kind after the other. Large labels come up as often as their pictures, filters are
drawn from what a label has, and pages lie anywhere in a gallery. The portal, PostgreSQL and these people share one machine. The
catalogue is kept for the next run; the store is empty, so that pictures themselves are not fetched.
"""

import contextlib
import http.client
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from sqlalchemy import Engine, Row, text

from deep_images_hub.catalogue.engine import connect_engine
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.errors import UnavailableError
from deep_images_hub.images.gallery_places import GalleryPlace
from deep_images_hub.images.picture_filter import PictureFilter
from deep_images_hub.measuring.made_up_catalogue import BATCH_IMAGES, fill
from deep_images_hub.measuring.own_hub import settings_in_environment
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import resolve

_ROWS = 1_740_000
_CLIENTS = 20
_PAUSE_S = 1.0
_WARM_S, _PACED_S, _QUICK_PACED_S = 5.0, 60.0, 20.0
_SATURATED_S = 8.0
_ADDRESSES = 400
_FILL_TIMEOUT_S = 3600.0
_ANSWER_TIMEOUT_S = 60.0
_ROUTE_HEADER = "X-Bench-Route"
_LISTENING = re.compile(r"Listening at: http://[^:]+:(\d+)")
_SAMPLE = """
    select shown_images.*, images.sha256, labels.name, labels.code
    from shown_images tablesample bernoulli (:percent) repeatable (0)
    join images on images.id = shown_images.image_id
    join labels on labels.id = shown_images.label_id
    order by shown_images.image_id
"""

_Addresses = Mapping[str, Sequence[str]]


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--rows", type=int, default=_ROWS, metavar="N", help=f"pictures in the catalogue ({_ROWS:,})")
    parser.add_argument("--clients", type=int, default=_CLIENTS, metavar="N", help=f"people at once ({_CLIENTS})")


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Fill a catalogue of its own unless it is there from before, serve it, and ask for pages."""
    rows = max(1, given.rows // BATCH_IMAGES) * BATCH_IMAGES
    own = _kept_catalogue(settings, rows)
    try:
        engine = connect_engine(own, statement_timeout_s=_FILL_TIMEOUT_S)
        addresses = page_addresses(engine)
        engine.dispose()
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "times.log"
            with _served(own, log) as port:
                _ask(port, addresses, given.clients, seconds=_WARM_S, pause_s=0.2)
                paced, _ = _ask_and_read(
                    port, log, addresses, given.clients, seconds=_QUICK_PACED_S if given.quick else _PACED_S, pause_s=_PAUSE_S
                )
                flooded, answered_per_s = _ask_and_read(port, log, addresses, given.clients, seconds=_SATURATED_S, pause_s=0)
    finally:
        EmbeddedPostgres(own.home / "postgres").stop()
    _print_table(rows, given.clients, paced, flooded, answered_per_s)
    return {
        "rows": rows,
        "clients": given.clients,
        "p95_ms": {route: _percentile(of, 95) for route, of in sorted(paced.items())},
        "median_ms": {route: _percentile(of, 50) for route, of in sorted(paced.items())},
        "saturated": {
            "requests_per_s": round(answered_per_s, 1),
            "p95_ms": _percentile([one for of in flooded.values() for one in of], 95),
        },
    }


def _kept_catalogue(settings: Settings, rows: int) -> Settings:
    """Return the settings of a catalogue with so many pictures: the one from before, or one that is filled now."""
    home = settings.home.resolve() / "bench" / "portal"
    given = settings.model_copy(update={"home": home, "database_url": None, "store_url": None})
    own = resolve(given)
    migrate(own)
    if _images(own) != rows:
        EmbeddedPostgres(home / "postgres").stop()
        shutil.rmtree(home, ignore_errors=True)
        own = resolve(given)
        migrate(own)
        engine = connect_engine(own, statement_timeout_s=_FILL_TIMEOUT_S)
        try:
            fill(engine, images=rows)
        finally:
            engine.dispose()
    return own


def _images(settings: Settings) -> int:
    """Return how many pictures are counted. Counts are made last: a fill that was stopped has none."""
    engine = connect_engine(settings, statement_timeout_s=_FILL_TIMEOUT_S)
    try:
        with engine.connect() as connection:
            return hub_totals(connection).images
    finally:
        engine.dispose()


def page_addresses(engine: Engine) -> _Addresses:
    """Return addresses to ask for, by kind of page."""
    rng = random.Random(0)
    with engine.connect() as connection:
        images = hub_totals(connection).images
        # From all ages: a limit would take the first rows of the table, which are the oldest.
        percent = min(100.0, 200.0 * _ADDRESSES / images)
        sample = list(connection.execute(text(_SAMPLE), {"percent": percent}))
        countries = {row.id: row.country_code for row in connection.execute(text("select id, country_code from places"))}
        root = connection.scalar(text("select id from labels where code = 'entity'"))
    rng.shuffle(sample)

    def drawn(address: Callable[[Row[Any]], str]) -> list[str]:
        return [address(picture) for picture in sample[:_ADDRESSES]]

    def wished(picture: Row[Any]) -> str:
        """Ask for one to three things that a picture of the label has."""
        country = countries.get(picture.place_id)
        wishes: list[dict[str, Any]] = [
            {"licences": (picture.licence,)},
            {"min_quality": rng.choice([0.3, 0.5, 0.7])},
            {"min_side_px": rng.choice([256, 512, 1024])},
            {"is_reviewed": True},
            {"supplier_id": picture.supplier_id},
            {"since": (picture.received_at - timedelta(days=60)).date(), "until": picture.received_at.date()},
            {"country": country} if country else {"is_reviewed": False},
        ]
        wanted = PictureFilter(sort=rng.choice(["newest", "newest", "oldest", "quality", "size"]))
        for fields in rng.sample(wishes, k=rng.choice([1, 1, 2, 3])):
            wanted = replace(wanted, **fields)
        return urlencode(wanted.query(), doseq=True)

    def after(picture: Row[Any]) -> str:
        return urlencode({"after": GalleryPlace(picture.received_at, picture.image_id).text})

    return {
        "home": ["/"],
        "labels": ["/labels"],
        "search": drawn(lambda of: f"/labels?{urlencode({'q': of.name[: rng.randint(3, 8)]})}"),
        "suggestions": drawn(lambda of: f"/labels/suggestions?{urlencode({'q': of.name[: rng.randint(1, 8)]})}"),
        "gallery": drawn(lambda of: f"/labels/{of.label_id}"),
        "gallery, later page": drawn(lambda of: f"/labels/{of.label_id}?{after(of)}"),
        "gallery, next pictures": drawn(lambda of: f"/labels/{of.label_id}?{after(of)}&part=1"),
        "gallery, sorted": drawn(lambda of: f"/labels/{of.label_id}?sort={rng.choice(['oldest', 'quality', 'size'])}"),
        "gallery, filtered": drawn(lambda of: f"/labels/{of.label_id}?{wished(of)}"),
        "everything": [f"/labels/{root}", "/images"],
        "everything, later page": drawn(lambda of: rng.choice([f"/labels/{root}?{after(of)}", f"/images?{after(of)}"])),
        "everything, filtered": drawn(lambda of: rng.choice([f"/labels/{root}?{wished(of)}", f"/images?{wished(of)}"])),
        "picture": drawn(lambda of: f"/images/{of.sha256}"),
        "selection": ["/selection"],
        "datasets": ["/datasets"],
    }


@contextlib.contextmanager
def _served(settings: Settings, log: Path) -> Iterator[int]:
    """Serve a hub as scripts/serve does, with a line in the log for each answer: kind of page, status, microseconds."""
    environment = os.environ | settings_in_environment(settings)
    environment["GUNICORN_CMD_ARGS"] = f"--access-logfile={log} --access-logformat='%({{{_ROUTE_HEADER}}}i)s\t%(s)s\t%(D)s'"
    command = [sys.executable, "-m", "deep_images_hub.cli.serve", "--port=0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield _port_of(server)
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


def _ask_and_read(
    port: int, log: Path, addresses: _Addresses, clients: int, *, seconds: float, pause_s: float
) -> tuple[dict[str, list[float]], float]:
    """Ask for a while; return milliseconds in the server by kind of page, and how many answers came in a second."""
    begin = log.stat().st_size
    began_s = time.monotonic()
    _ask(port, addresses, clients, seconds=seconds, pause_s=pause_s)
    took_s = time.monotonic() - began_s
    times: defaultdict[str, list[float]] = defaultdict(list)
    with log.open(encoding="utf-8") as lines:
        lines.seek(begin)
        for line in lines:
            route, status, microseconds = line.rstrip("\n").split("\t")
            if status != "200":
                raise UnavailableError(f"The portal answered {status} to a request for {route!r}. See its log.")
            times[route].append(int(microseconds) / 1000)
    return dict(times), sum(map(len, times.values())) / took_s


def _ask(port: int, addresses: _Addresses, clients: int, *, seconds: float, pause_s: float) -> None:
    until_s = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as people:
        for person in [people.submit(_person, port, addresses, number, until_s, pause_s) for number in range(clients)]:
            person.result()


def _person(port: int, addresses: _Addresses, number: int, until_s: float, pause_s: float) -> None:
    """Ask for one page after the other, each kind in turn, with pauses of half to one and a half times as long as said."""
    rng = random.Random(number)
    routes = list(addresses)
    time.sleep(pause_s * rng.random())
    while time.monotonic() < until_s:
        number += 1
        route = routes[number % len(routes)]
        # A connection of its own, since the server closes one that is kept for a person who looks for long.
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_TIMEOUT_S)) as connection:
            connection.request("GET", rng.choice(addresses[route]), headers={_ROUTE_HEADER: route})
            connection.getresponse().read()
        time.sleep(pause_s * rng.uniform(0.5, 1.5))


def _print_table(
    rows: int, clients: int, paced: Mapping[str, list[float]], flooded: Mapping[str, list[float]], answered_per_s: float
) -> None:
    print(f"\n  {rows:,} pictures, {clients} people")
    print(f"  {'in the server':<24} {'asked':>7} {'median':>10} {'p95':>10} {'p95, saturated':>16}")
    for route, of in sorted(paced.items()):
        flood = _percentile(flooded[route], 95) if route in flooded else float("nan")
        print(f"  {route:<24} {len(of):>7} {_percentile(of, 50):>7} ms {_percentile(of, 95):>7} ms {flood:>13} ms")
    print(f"  saturated: {answered_per_s:.0f} answers a second\n", flush=True)


def _percentile(times_ms: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(times_ms, percent)), 1)
