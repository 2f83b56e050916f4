"""The portal's pages and API at 20 people and programs, over a catalogue of 1.74 million made-up pictures; and its downloads.

    in the server   from the first byte of a request to the last of its answer, as gunicorn says it: waiting for a processor
                    counts, waiting for one of its threads does not
    saturated       the same people, who ask again without looking: what the machine can answer at most
    processor time  of the portal's processes, and of the database's, a request of the first kind on average
    weight          of a page with its styles and scripts as a browser gets them, without pictures; of an answer to a program
    download        all files of a dataset, first byte to last, beside reading its pictures' files one after the other: for the
                    first time, when each file is put together, found out the sha256 of, and kept; and then as it is kept, which
                    the first download is too where a dispatcher has made it ahead

People ask about once a second each, for one route after the other; before that, without looking, for some seconds that are not
counted. The portal, PostgreSQL and these people share one machine. The catalogue is kept for the next run; the store has no
pictures but those of the dataset that is downloaded.
"""

import shutil
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from deep_images_hub.catalogue.engine import connect_engine
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.datasets.keeping import open_kept_files
from deep_images_hub.datasets.making_ahead import MakingAhead
from deep_images_hub.measuring.made_up_catalogue import BATCH_IMAGES, fill
from deep_images_hub.measuring.made_up_dealings import dataset, fill_dealings
from deep_images_hub.measuring.own_hub import server_of
from deep_images_hub.measuring.portal_downloads import (
    FORMATS,
    Download,
    forget_exported_files,
    measure_download,
    store_pictures,
)
from deep_images_hub.measuring.portal_routes import Routes, portal_routes
from deep_images_hub.measuring.processes import cpu_s_of_tree
from deep_images_hub.measuring.served_portal import Answer, Credentials, ServedPortal, by_route, served_portal
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub, open_hub, resolve

_ROWS = 1_740_000
_CLIENTS = 20
_PAUSE_S = 1.0
# Long enough for each process to have answered each route: what comes first fills caches and opens connections.
_WARM_S = 8.0
# At 20 people about 45 requests of each route; quick: 12, of which the slowest but for one in twenty is nearly the slowest.
_PACED_S, _QUICK_PACED_S = 100.0, 26.0
_SATURATED_S = 5.0
_DOWNLOADED, _QUICK_DOWNLOADED = 20_000, 3_000
# What is kept is sent in a tenth of a second.
_KEPT_TIMES = 10
_FILL_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class _Asked:
    """What became of asking for a while. cpu_ms: a request's processor time in the portal and in the database, on average."""

    answers: Sequence[Answer]
    seconds: float
    cpu_ms: Mapping[str, float]


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--rows", type=int, default=_ROWS, metavar="N", help=f"pictures in the catalogue ({_ROWS:,})")
    parser.add_argument("--clients", type=int, default=_CLIENTS, metavar="N", help=f"people at once ({_CLIENTS})")
    parser.add_argument(
        "--download",
        type=int,
        metavar="N",
        help=f"pictures of 20 kB in the dataset that is downloaded, about ({_DOWNLOADED:,}; quick: {_QUICK_DOWNLOADED:,})",
    )


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Fill a catalogue of its own unless it is there from before, serve it, ask for pages, and download a dataset."""
    rows = max(1, given.rows // BATCH_IMAGES) * BATCH_IMAGES
    own = _kept_catalogue(settings, rows)
    try:
        hub = open_hub(own)
        try:
            routes = portal_routes(hub.engine)
            with tempfile.TemporaryDirectory() as folder, served_portal(own, Path(folder) / "times.log") as portal:
                people = portal.sign_in(hub.engine)
                loaded = _loaded_bytes(portal, routes, people[0])
                _ask(hub, portal, routes, people, given.clients, seconds=_WARM_S, pause_s=0)
                seconds = _QUICK_PACED_S if given.quick else _PACED_S
                paced = _ask(hub, portal, routes, people, given.clients, seconds=seconds, pause_s=_PAUSE_S)
                flooded = _ask(hub, portal, routes, people, given.clients, seconds=_SATURATED_S, pause_s=0)
                images = (_QUICK_DOWNLOADED if given.quick else _DOWNLOADED) if given.download is None else given.download
                downloads, ahead_cpu_s = _downloads(hub, portal, people[0], images) if images else ({}, 0.0)
        finally:
            hub.engine.dispose()
    finally:
        EmbeddedPostgres(own.home / "postgres").stop()
    weights = _weights(paced.answers, loaded)
    _print_table(rows, given.clients, paced, flooded, weights, downloads)
    if downloads:
        print(f"  making them ahead takes {ahead_cpu_s} s of the processor\n", flush=True)
    return {
        "rows": rows,
        "clients": given.clients,
        "p95_ms": {route: _percentile(of, 95) for route, of in by_route(paced.answers).items()},
        "p95_ms_of_all": _percentile([answer.milliseconds for answer in paced.answers], 95),
        "median_ms": {route: _percentile(of, 50) for route, of in by_route(paced.answers).items()},
        "weight_kb": weights,
        "cpu_ms": paced.cpu_ms,
        "saturated": {
            "requests_per_s": round(len(flooded.answers) / flooded.seconds, 1),
            "p95_ms": _percentile([answer.milliseconds for answer in flooded.answers], 95),
        },
        "download": _worst(downloads)
        | {"made_ahead_cpu_s": ahead_cpu_s, "by_format": {_name(*way): asdict(of) for way, of in downloads.items()}},
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
        with closing(_Filling(own)) as filling:
            fill(filling.engine, images=rows)
    with closing(_Filling(own)) as filling:
        fill_dealings(filling.engine)
    return own


class _Filling:
    """A catalogue whose statements may take long."""

    def __init__(self, settings: Settings) -> None:
        self.engine: Engine = connect_engine(settings, statement_timeout_s=_FILL_TIMEOUT_S)

    def close(self) -> None:
        self.engine.dispose()


def _images(settings: Settings) -> int:
    """Return how many pictures are counted. Counts are made last: a fill that was stopped has none."""
    with closing(_Filling(settings)) as filling, filling.engine.connect() as connection:
        return hub_totals(connection).images


def _ask(
    hub: Hub,
    portal: ServedPortal,
    routes: Routes,
    people: Sequence[Credentials],
    clients: int,
    *,
    seconds: float,
    pause_s: float,
) -> _Asked:
    servers = {"portal": portal.process_id, "database": server_of(hub)}
    used_s = {name: cpu_s_of_tree(process_id) for name, process_id in servers.items()}
    answers = portal.asked(routes, people, clients, seconds=seconds, pause_s=pause_s)
    cpu_ms = {
        name: round((cpu_s_of_tree(process_id) - used_s[name]) * 1000 / len(answers), 1) for name, process_id in servers.items()
    }
    return _Asked(answers, seconds, cpu_ms)


def _loaded_bytes(portal: ServedPortal, routes: Routes, person: Credentials) -> dict[str, int]:
    """Return what the pages of each route load besides themselves and pictures."""
    return {
        name: 0 if route.is_for_programs else portal.loaded_bytes(route.addresses[0], person.headers(route))
        for name, route in routes.items()
    }


def _weights(answers: Sequence[Answer], loaded: Mapping[str, int]) -> dict[str, float]:
    """Return the weight of the heaviest answer of each route, in kB."""
    largest: defaultdict[str, int] = defaultdict(int)
    for answer in answers:
        largest[answer.route] = max(largest[answer.route], answer.size_bytes)
    return {route: round((size_bytes + loaded[route]) / 1000, 1) for route, size_bytes in sorted(largest.items())}


# A format, and whether its files were kept before.
_Downloads = Mapping[tuple[str, bool], Download]


def _downloads(hub: Hub, portal: ServedPortal, person: Credentials, images: int) -> tuple[_Downloads, float]:
    """Download a dataset of about so many pictures in each format, for the first time and as it is kept.

    Returns with it the processor seconds that this process takes to make all of these files ahead, as `scripts/dispatch` does.
    """
    with hub.engine.begin() as connection:
        version = dataset(connection, f"Bench, a download of {images:,}", images=images)
    forget_exported_files(hub)
    with hub.engine.begin() as connection:
        files = store_pictures(connection, _folder_of(hub), version)
    downloads = {
        (name, is_kept): measure_download(
            portal,
            files,
            version_id=version.id,
            format_name=name,
            person=person.cookie,
            times=_KEPT_TIMES if is_kept else 1,
        )
        for name in FORMATS
        for is_kept in (False, True)
    }
    forget_exported_files(hub)
    began_s = time.process_time()
    MakingAhead(open_kept_files(hub.engine, hub.store, hub.settings)).make(version)
    return downloads, round(time.process_time() - began_s, 2)


def _folder_of(hub: Hub) -> FolderStore:
    """Return the store of a hub of a bench's own, which is a folder."""
    assert isinstance(hub.store, FolderStore)
    return hub.store


def _name(format_name: str, is_kept: bool) -> str:
    return f"{format_name}, {'kept' if is_kept else 'first'}"


def _worst(downloads: _Downloads) -> dict[str, float]:
    """Return the worst of all formats: of kept files, and of those that are put together while they are sent."""
    if not downloads:
        return {}
    return {
        "first_byte_s": max(of.first_byte_s for of in downloads.values()),
        "rate_to_file_read": min(of.rate_to_file_read for (_, is_kept), of in downloads.items() if is_kept),
        "first_rate_to_file_read": min(of.rate_to_file_read for (_, is_kept), of in downloads.items() if not is_kept),
        "rss_growth_mib": max(of.rss_growth_mib for of in downloads.values()),
    }


def _print_table(
    rows: int,
    clients: int,
    paced: _Asked,
    flooded: _Asked,
    weights: Mapping[str, float],
    downloads: _Downloads,
) -> None:
    saturated = by_route(flooded.answers)
    print(f"\n  {rows:,} pictures, {clients} people")
    print(f"  {'in the server':<28} {'asked':>6} {'median':>9} {'p95':>9} {'p95, saturated':>16} {'weight':>10}")
    for route, of in by_route(paced.answers).items():
        flood = _percentile(saturated[route], 95) if route in saturated else float("nan")
        print(
            f"  {route:<28} {len(of):>6} {_percentile(of, 50):>6} ms {_percentile(of, 95):>6} ms {flood:>13} ms"
            f" {weights[route]:>7} kB"
        )
    cpu_ms, times_ms = paced.cpu_ms, [answer.milliseconds for answer in paced.answers]
    print(f"  of all {len(times_ms):,} requests: median {_percentile(times_ms, 50)} ms, p95 {_percentile(times_ms, 95)} ms")
    print(f"  processor time of a request: {cpu_ms['portal']} ms in the portal, {cpu_ms['database']} ms in the database")
    print(f"  saturated: {len(flooded.answers) / flooded.seconds:.0f} answers a second")
    for way, download in downloads.items():
        print(
            f"  {_name(*way)}: {download.size_bytes / 1e6:,.0f} MB, first byte after {download.first_byte_s} s,"
            f" {download.rate_to_file_read} of the rate of reading files ({download.cpu_to_file_read} by processor time),"
            f" {download.rss_growth_mib} MiB more memory"
        )


def _percentile(times_ms: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(times_ms, percent)), 1)
