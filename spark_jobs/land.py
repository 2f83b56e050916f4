"""Take in batches that suppliers put into a bucket or a folder, each with a manifest beside it.

Reads: the names that lie right in the source; each `NAME.manifest.json` that is new or has changed; what lies in `NAME/`.
Writes: objects and the batch's manifest under `landing/`; batches and submissions; what became of each manifest (`deliveries`).

A manifest becomes one batch, however often it is seen, or is refused with a reason, which stops no other; it is tried again once
it changes, or with --again. Killed anywhere, the same command goes on: a batch's key follows from the source and the manifest's
content, photographs are copied before the batch's manifest is written, and the catalogue hears of it all in one transaction.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NoReturn

from pyspark import Accumulator
from pyspark.sql import SparkSession

from deep_images_hub.catalogue.landing import decided_manifests, forget_refused, landing_alone, manifest_landed, manifest_refused
from deep_images_hub.catalogue.supplier_manifests import CheckedManifest, check_manifest
from deep_images_hub.errors import DeniedError, UnavailableError
from deep_images_hub.landing.delivery import Delivery
from deep_images_hub.landing.reading import read_manifest
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.landing.sending import Sent
from deep_images_hub.landing.supplier_manifest import MANIFEST_SUFFIX, is_manifest_key, manifest_folder
from deep_images_hub.object_store import ObjectStat, ObjectStore, SubFolder, UnusableName
from deep_images_hub.places import open_geocoder
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job
from spark_jobs.landing import NotNow, open_source, register_batch, send_on_spark

# Manifests that are read, copied and registered together: little is done again after a kill, and the driver's memory is bounded.
_WAVE_MANIFESTS = 64
_WAVE_BYTES = 16 << 20
_READS_AT_ONCE = 8
_PROBLEMS_SHOWN = 20


@dataclass
class Tally:
    """What became of what lies right in a source. Every manifest is counted once.

    Attributes:
        known: manifests that were decided on before and have not changed.
        gone: manifests that went away between two looks.
        problems: one line for each manifest that was refused.
        not_now: why something could not be done now.
        without_manifest: folders that have none, yet.
        others: files that are no manifests.
        unusable: names that cannot be object keys, with the problem of the first.
    """

    new: int = 0
    known: int = 0
    landed: int = 0
    photographs: int = 0
    unnamed: int = 0
    gone: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    not_now: str | None = None
    without_manifest: int = 0
    others: int = 0
    unusable: int = 0
    first_unusable: str = ""

    @property
    def left(self) -> int:
        """New manifests that are not decided on yet."""
        return self.new - self.landed - sum(self.refused.values()) - self.gone


def land(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Take in what is new. Returns 1 when a store failed, so that some has to be tried again, else 0."""
    source = open_source(hub, given.source)
    with landing_alone(hub.engine, source.url):
        landing = _Landing(hub, source, spark, only_supplier=given.supplier)
        landing.take_all(landing.look(again=given.again))
    print("\n".join(_lines(source.url, landing.tally)))
    return 1 if landing.tally.not_now else 0


class _Landing:
    """One run over one source."""

    def __init__(self, hub: Hub, source: ObjectStore, spark: SparkSession, *, only_supplier: str | None) -> None:
        self.tally = Tally()
        self._hub = hub
        self._source = source
        self._spark = spark
        self._only_supplier = only_supplier
        self._geocoder = open_geocoder(hub.settings)
        self._can_read = False
        self._sent: Accumulator[int] = spark.sparkContext.accumulator(0)

    def look(self, *, again: bool) -> list[ObjectStat]:
        """Return manifests that are new or have changed, and with `again` all that are refused, in order of their arrival."""
        with self._hub.engine.connect() as connection:
            decided = decided_manifests(connection, source_url=self._source.url)
        new, manifests, folders = [], set(), set()
        for entry in self._source.list_folder():
            if isinstance(entry, SubFolder):
                folders.add(entry.key)
            elif isinstance(entry, UnusableName):
                self.tally.unusable += 1
                self.tally.first_unusable = self.tally.first_unusable or entry.problem
            elif not is_manifest_key(entry.key):
                self.tally.others += 1
            else:
                manifests.add(entry.key)
                before = decided.get(entry.key)
                if before is None or not before.is_still(entry) or (again and before.is_refused):
                    new.append(entry)
        self.tally.known = len(manifests) - len(new)
        self.tally.new = len(new)
        self.tally.without_manifest = len(folders - {manifest_folder(key) for key in manifests})
        if withdrawn := {key for key in decided.keys() - manifests if decided[key].is_refused}:
            with self._hub.engine.begin() as connection:
                forget_refused(connection, source_url=self._source.url, manifest_keys=withdrawn)
        return sorted(new, key=lambda found: (found.modified_at, found.key))

    def take_all(self, new: Sequence[ObjectStat]) -> None:
        """Take in manifests, some at a time, until none of those can be had. One alone may be its supplier's fault."""
        with Progress("Landing", total=None, unit="photographs") as progress:
            for wave in _waves(new):
                left = self.tally.left
                self._take(wave, progress)
                progress.reach(self.tally.photographs)
                if self.tally.left == left:
                    return

    def _take(self, wave: Sequence[ObjectStat], progress: Progress) -> None:
        """Read, check, copy and register."""
        checked = self._checked(wave)
        deliveries = [one.delivery for one in checked if isinstance(one.delivery, Delivery)]
        outcomes = send_on_spark(
            self._spark,
            self._hub.settings,
            self._source,
            deliveries,
            sent=self._sent,
            on_poll=lambda: progress.reach(self._sent.value),
        )
        of_deliveries = iter(outcomes)
        for one in checked:
            outcome = one.delivery if isinstance(one.delivery, Refused) else next(of_deliveries)
            if isinstance(outcome, Refused):
                self._refuse(one, outcome)
            elif isinstance(outcome, NotNow):
                self.tally.not_now = outcome.problem
            else:
                self._register(one, outcome)

    def _checked(self, wave: Sequence[ObjectStat]) -> list[CheckedManifest]:
        with ThreadPoolExecutor(_READS_AT_ONCE, thread_name_prefix="manifests") as pool:
            bodies = list(pool.map(self._read, wave))
        # A store that has given no manifest yet may refuse us everything: then none is refused for it.
        self._can_read = self._can_read or any(isinstance(body, bytes) for body in bodies)
        checked = []
        with self._hub.engine.connect() as connection:
            for found, body in zip(wave, bodies, strict=True):
                if isinstance(body, Refused) and (self._can_read or body.reason != "denied_file"):
                    checked.append(CheckedManifest(found, None, body))
                elif isinstance(body, Refused | NotNow):
                    self.tally.not_now = body.problem
                elif body is None:
                    self.tally.gone += 1
                else:
                    source_url = self._source.url
                    checked.append(
                        check_manifest(connection, body, found, source_url=source_url, only_supplier=self._only_supplier)
                    )
        return checked

    def _read(self, found: ObjectStat) -> bytes | Refused | NotNow | None:
        try:
            return read_manifest(self._source, found)
        except DeniedError:
            return Refused("denied_file", "The store does not give the manifest to the hub. Let the hub read it.")
        except UnavailableError as error:
            return NotNow(str(error))

    def _refuse(self, one: CheckedManifest, refused: Refused) -> None:
        with self._hub.engine.begin() as connection:
            manifest_refused(
                connection, source_url=self._source.url, found=one.found, supplier_id=one.supplier_id, refused=refused
            )
        self.tally.refused[refused.reason] += 1
        self.tally.problems.append(f"{one.found.key}: {refused.reason}. {refused.problem}")

    def _register(self, one: CheckedManifest, sent: Sent) -> None:
        assert isinstance(one.delivery, Delivery)
        assert one.supplier_id is not None
        with self._hub.engine.begin() as connection:
            manifest_landed(
                connection,
                source_url=self._source.url,
                found=one.found,
                supplier_id=one.supplier_id,
                batch_id=register_batch(connection, self._hub.store, self._geocoder, one.delivery),
                unnamed=sent.unnamed,
            )
        self.tally.landed += 1
        self.tally.photographs += sent.files
        self.tally.unnamed += sent.unnamed


def _waves(manifests: Sequence[ObjectStat]) -> Iterator[list[ObjectStat]]:
    """Part manifests so that those of a part fit into memory together. One that is too large is not read."""
    wave: list[ObjectStat] = []
    size_bytes = 0
    for found in manifests:
        if wave and (len(wave) == _WAVE_MANIFESTS or size_bytes + found.size_bytes > _WAVE_BYTES):
            yield wave
            wave, size_bytes = [], 0
        wave.append(found)
        size_bytes += found.size_bytes
    if wave:
        yield wave


def _lines(source_url: str, tally: Tally) -> list[str]:
    refused = sum(tally.refused.values())
    new = f"{tally.landed:,} new batches with {tally.photographs:,} photographs"
    lines = [f"land: {source_url}: {new}, {refused:,} manifests refused, {tally.known:,} known from before."]
    lines += [f"  {problem}" for problem in tally.problems[:_PROBLEMS_SHOWN]]
    if refused > _PROBLEMS_SHOWN:
        lines.append(f"  and {refused - _PROBLEMS_SHOWN:,} more: see the table deliveries")
    if tally.unnamed:
        lines.append(f"land: {tally.unnamed:,} objects beside them are named by no manifest, and stay where they are.")
    if tally.without_manifest:
        lines.append(f"land: {tally.without_manifest:,} folders have no manifest yet (NAME/ waits for NAME{MANIFEST_SUFFIX}).")
    if tally.others:
        lines.append(f"land: {tally.others:,} other files lie beside the manifests, and were left alone.")
    if tally.unusable:
        lines.append(f"land: {tally.unusable:,} names cannot be used. The first: {tally.first_unusable}")
    if tally.gone:
        lines.append(f"land: {tally.gone:,} manifests went away meanwhile.")
    if tally.not_now:
        lines.append(f"land: {tally.left:,} manifests wait for the next run: {tally.not_now}")
    return lines


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="land", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="PLACE",
        help=f"s3://bucket/prefix, or a folder: in it NAME{MANIFEST_SUFFIX} and, for each, the folder NAME of its photographs",
    )
    parser.add_argument("--supplier", metavar="EMAIL", help="refuse manifests that name anybody else")
    parser.add_argument("--again", action="store_true", help="try also those that were refused and have not changed")
    run_job(land, parser)


if __name__ == "__main__":
    main()
