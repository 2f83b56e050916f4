"""Fetch photographs that Open Images lists, under labels that people verified, from where their authors put them.

Reads: Open Images' CSV files, once for each list; the web; what is still missing of lists that were read before (`downloads`).
Writes: objects and manifests under `landing/`; batches and submissions; what became of each photograph (`downloads`).

Running it again fetches what is missing for outside reasons, and nothing else; what is gone, or is not what the list says, is
left alone. Killed anywhere, the same command goes on. Spark has nothing to do here, since one process waits for many servers at
once: it is a job so that operators have one way to run what changes the hub.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TextIO

from pyspark.sql import SparkSession
from sqlalchemy import Connection

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.batches import create_batch
from deep_images_hub.catalogue.downloads import (
    add_downloads,
    download_counts,
    downloads_failed,
    downloads_fetched,
    put_back,
    waiting_downloads,
)
from deep_images_hub.catalogue.labels import label_ids
from deep_images_hub.catalogue.landing import landing_alone
from deep_images_hub.catalogue.users import User
from deep_images_hub.cli.arguments import whole_number
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.landing.download import Download, NotFetched
from deep_images_hub.landing.downloading import DownloadBatch, Downloaded, download_batches
from deep_images_hub.landing.fetching import fetch
from deep_images_hub.landing.open_images import SkippedRows, downloads, labels_of_images
from deep_images_hub.object_store.keys import manifest_key
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job
from spark_jobs.landing import supplier_named

SOURCE = "open-images"
DEFAULT_CONNECTIONS = 16
MAX_CONNECTIONS = 256
_MAX_BATCH_FILES = 500
# Photographs that are fetched before the catalogue hears of them; as many are fetched again after a kill.
_WAVE_FILES = 512
# The web is away, not this or that server: the rest is not asked for.
_MIN_TRIED = 32
_PROBLEMS_SHOWN = 5
_USER_AGENT = "deep-images-hub"


def fetch_open_images(hub: Hub, given: Namespace, _spark: SparkSession) -> int:
    """Fetch what waits. Returns 1 when some is still missing for outside reasons, else 0."""
    with landing_alone(hub.engine, SOURCE):
        with hub.engine.begin() as connection:
            supplier = supplier_named(connection, given.supplier)
            lines = _read_lists(connection, given)
            if given.again:
                lines.append(
                    f"fetch_open_images: {put_back(connection, source=SOURCE):,} that were given up are tried once more."
                )
        print("\n".join(lines), flush=True)
        fetching = _Fetching(hub, supplier, given.connections)
        fetching.fetch_all()
        with hub.engine.connect() as connection:
            counts = download_counts(connection, source=SOURCE)
    print("\n".join(fetching.lines(counts)))
    return 1 if counts.get("waiting") else 0


def _read_lists(connection: Connection, given: Namespace) -> list[str]:
    """Bring new lists into the catalogue, and return what to say of them."""
    if (given.images is None) != (given.labels is None):
        raise InvalidInputError(
            "--images and --labels belong together: give both lists, or neither to fetch what is still missing."
        )
    if given.images is None:
        return ["fetch_open_images: no new lists; what is still missing of earlier ones is fetched."]
    known = label_ids(connection).keys()
    wanted = set(given.label or known)
    if unknown := sorted(wanted - known):
        raise NotFoundError(f"There is no label with the code {unknown[0]!r}. --label names labels by code, such as /m/014j1m.")
    skipped = SkippedRows()
    with ExitStack() as files:
        labels = labels_of_images(files.enter_context(_opened(given.labels)), wanted)
        listed = downloads(files.enter_context(_opened(given.images)), labels, skipped)
        if given.per_label is not None:
            listed = _at_most(listed, given.per_label)
        added = add_downloads(connection, listed, source=SOURCE)
    lines = [f"fetch_open_images: {added:,} photographs are new, of {len(labels):,} that show a label that is wanted."]
    return lines + [f"  {count:,} left out: {reason}" for reason, count in sorted(skipped.by_reason.items())]


def _opened(path: str) -> TextIO:
    try:
        # Without translated line ends: csv has rules of its own for them.
        return Path(path).open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise NotFoundError(
            f"The list {path} cannot be opened ({error.strerror}). Expected one of Open Images' CSV files."
        ) from error


def _at_most(listed: Iterable[Download], per_label: int) -> Iterator[Download]:
    counts: Counter[str] = Counter()
    for download in listed:
        counts[download.label_code] += 1
        if counts[download.label_code] <= per_label:
            yield download


class _Fetching:
    """One run over what waits."""

    def __init__(self, hub: Hub, supplier: User, connections: int) -> None:
        self._hub = hub
        self._supplier = supplier
        self._connections = connections
        self._now = datetime.now(UTC)
        self._fetched = self._batches = 0
        self._problems: Counter[str] = Counter()
        self._is_web_away = False

    def fetch_all(self) -> None:
        """Fetch batch after batch, many at once, until none is left or the web is away."""
        with self._hub.engine.connect() as connection:
            waiting = download_counts(connection, source=SOURCE).get("waiting", 0)
        groups = waiting_downloads(self._hub.engine, source=SOURCE, most=_MAX_BATCH_FILES)
        with Progress("Fetching", total=waiting, unit="photographs") as progress:
            for wave in _waves(groups):
                self._take(wave, progress)
                if self._is_web_away:
                    return

    def _take(self, groups: Sequence[tuple[Download, ...]], progress: Progress) -> None:
        supplier = self._supplier
        batches = [DownloadBatch(SOURCE, supplier.email, supplier.display_name, self._now, group) for group in groups]
        done = download_batches(batches, self._hub.store, self._fetch, connections=self._connections)
        for one in done:
            self._register(one)
        progress.advance(sum(map(len, groups)))
        fetched = sum(len(one.fetched) for one in done)
        missing = sum(found.status == "waiting" for one in done for found in one.not_fetched.values())
        self._is_web_away = fetched == 0 and missing >= _MIN_TRIED

    def _fetch(self, download: Download) -> bytes | NotFetched:
        return fetch(download, max_bytes=self._hub.settings.max_object_bytes, user_agent=_USER_AGENT)

    def _register(self, one: Downloaded) -> None:
        with self._hub.engine.begin() as connection:
            if one.fetched:
                manifest = manifest_from_json(self._hub.store.read(manifest_key(one.batch.key)))
                batch_id = create_batch(connection, manifest=manifest)
                downloads_fetched(connection, source=SOURCE, names=one.fetched, batch_id=batch_id)
            downloads_failed(connection, source=SOURCE, failed=one.not_fetched)
        self._batches += bool(one.fetched)
        self._fetched += len(one.fetched)
        self._problems.update(found.problem for found in one.not_fetched.values() if found.status == "waiting")

    def lines(self, counts: Mapping[str, int]) -> list[str]:
        """Return what to say at the end.

        Args:
            counts: photographs of all lists by status.
        """
        here, gone, differs = (counts.get(status, 0) for status in ("fetched", "gone", "differs"))
        lines = [
            f"fetch_open_images: {self._fetched:,} photographs fetched in {self._batches:,} batches.",
            f"fetch_open_images: in all {here:,} are here, {gone:,} gone for good, {differs:,} not what the list says.",
        ]
        if waiting := counts.get("waiting", 0):
            lines.append(f"fetch_open_images: {waiting:,} are still missing; run this again without lists to try only these.")
            lines += [f"  {count:,}: {problem}" for problem, count in self._problems.most_common(_PROBLEMS_SHOWN)]
        if self._is_web_away:
            lines.append("fetch_open_images: stopped, since nothing could be fetched. Check the network.")
        return lines


def _waves(groups: Iterable[tuple[Download, ...]]) -> Iterator[list[tuple[Download, ...]]]:
    wave: list[tuple[Download, ...]] = []
    for group in groups:
        wave.append(group)
        if sum(map(len, wave)) >= _WAVE_FILES:
            yield wave
            wave = []
    if wave:
        yield wave


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="fetch_open_images", description=__doc__.partition("\n")[0])
    parser.add_argument("--images", metavar="FILE", help="Open Images' list of image ids, with URLs and licences (CSV)")
    parser.add_argument("--labels", metavar="FILE", help="Open Images' list of human-verified image labels (CSV)")
    parser.add_argument(
        "--label", action="append", metavar="CODE", help="only this label; may be given again (all of the catalogue)"
    )
    parser.add_argument(
        "--per-label", type=whole_number(1), metavar="N", help="at most so many photographs of a label from these lists"
    )
    parser.add_argument("--supplier", required=True, metavar="EMAIL", help="the account in whose name they are taken in")
    parser.add_argument(
        "--connections",
        type=whole_number(1, MAX_CONNECTIONS),
        default=DEFAULT_CONNECTIONS,
        metavar="N",
        help=f"photographs that are fetched at once ({DEFAULT_CONNECTIONS}; at most {MAX_CONNECTIONS})",
    )
    parser.add_argument("--again", action="store_true", help="try also what was gone for good, or not what the list says")
    run_job(fetch_open_images, parser)


if __name__ == "__main__":
    main()
