"""Take in a tree of pictures whose folders are named after labels, and later what has come to it since.

Reads: names in the source: each folder from its marker on, never what was seen before; with --again all of them.
Writes: objects and manifests under `landing/`; batches and submissions; each folder's marker (`adopted_folders`); why files could
not be had (`adoption_refusals`).

Running it again takes in what is new. Killed anywhere, the same command goes on: a folder's marker moves in the transaction that
makes the batch, and a batch's key follows from the names and sizes of its files.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from pyspark import Accumulator
from pyspark.sql import SparkSession
from sqlalchemy import Connection

from deep_images_hub.catalogue.labels import label_names
from deep_images_hub.catalogue.landing import (
    adoption_refused,
    folder_markers,
    forget_adoption_refusals,
    know_folders,
    landing_alone,
    move_marker,
    names_from,
)
from deep_images_hub.landing.adoption import Adoption, LeftOut, Terms, folder_origin
from deep_images_hub.landing.delivery import Delivery
from deep_images_hub.landing.folder_labels import FolderLabels
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.landing.sending import Sent
from deep_images_hub.licences import LICENCES
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.places import open_geocoder
from deep_images_hub.places.geocoders import normalised_query
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job
from spark_jobs.landing import NotNow, Outcome, open_source, register_batch, send_on_spark, supplier_named

# Deliveries that are copied and registered together.
_WAVE_DELIVERIES = 64
_FOLDERS_SHOWN = 20


@dataclass
class Tally:
    """What was taken in.

    Attributes:
        refused: pictures that were listed and could not be had, by reason.
        problem: of the first of those, for people.
        not_now: why something could not be done now.
    """

    batches: int = 0
    photographs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    labels: set[str] = field(default_factory=set)
    not_now: str | None = None


def adopt(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Take in what is new. Returns 1 when a store failed, so that some has to be tried again, else 0."""
    source = open_source(hub, given.source)
    with landing_alone(hub.engine, source.url):
        with hub.engine.connect() as connection:
            terms = _terms(connection, given)
            labels = FolderLabels(label_names(connection))
            markers = folder_markers(connection, source_url=source.url)

        def names_known(folder: str) -> set[str]:
            with hub.engine.connect() as connection:
                return names_from(connection, origin=folder_origin(source.url, folder))

        adoption = Adoption(source, terms, labels, markers, names_known if given.again else None)
        adopting = _Adopting(hub, source, spark)
        adopting.take_all(adoption)
    print("\n".join(_lines(source.url, adopting.tally, adoption.left_out, labels)))
    return 1 if adopting.tally.not_now else 0


def _terms(connection: Connection, given: Namespace) -> Terms:
    supplier = supplier_named(connection, given.supplier)
    if given.place is not None:
        normalised_query(given.place)
    return Terms(supplier.email, supplier.display_name, given.licence, given.attribution, given.place)


class _Adopting:
    """One run over one source."""

    def __init__(self, hub: Hub, source: ObjectStore, spark: SparkSession) -> None:
        self.tally = Tally()
        self._hub = hub
        self._source = source
        self._spark = spark
        self._geocoder = open_geocoder(hub.settings)
        self._sent: Accumulator[int] = spark.sparkContext.accumulator(0)
        # Folders of which a part could not be sent: what comes after it would never be seen, so it waits too.
        self._cut_off: set[str] = set()

    def take_all(self, adoption: Adoption) -> None:
        """Copy and register deliveries, some at a time, while they are being found, until none of those can be reached."""
        with Progress("Adopting", total=None, unit="photographs") as progress:
            for wave in _waves(one for one in adoption.deliveries() if one.folder not in self._cut_off):
                outcomes = send_on_spark(
                    self._spark,
                    self._hub.settings,
                    self._source,
                    wave,
                    sent=self._sent,
                    on_poll=lambda: progress.reach(self._sent.value),
                )
                self._know_folders(adoption)
                self._register(wave, outcomes)
                progress.reach(self.tally.photographs)
                if all(isinstance(one, NotNow) for one in outcomes):
                    return
        self._know_folders(adoption)

    def _know_folders(self, adoption: Adoption) -> None:
        """Keep what was seen beside pictures, before a marker moves past it."""
        with self._hub.engine.begin() as connection:
            know_folders(connection, source_url=self._source.url, folders=adoption.beside_pictures)
        adoption.beside_pictures.clear()

    def _register(self, wave: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
        """Bring into the catalogue what was sent, and write down what the store refused.

        A store that has given nothing yet may refuse us everything: then nothing is passed by.
        """
        can_read = self.tally.photographs > 0 or any(isinstance(one, Sent) and one.files for one in outcomes)
        for delivery, outcome in zip(wave, outcomes, strict=True):
            assert not isinstance(outcome, Refused), "files that cannot be had are left out of what is adopted"
            problem = outcome.problem if isinstance(outcome, NotNow) else None if can_read else _denied(outcome)
            if problem is not None:
                self.tally.not_now = self.tally.not_now or problem
                self._cut_off.add(delivery.folder)
            elif isinstance(outcome, Sent) and delivery.folder not in self._cut_off:
                self._register_one(delivery, outcome)

    def _register_one(self, delivery: Delivery, sent: Sent) -> None:
        names = [file.filename for file in delivery.files]
        place = {"source_url": self._source.url, "folder": delivery.folder}
        with self._hub.engine.begin() as connection:
            if sent.files:
                register_batch(connection, self._hub.store, self._geocoder, delivery)
            forget_adoption_refusals(connection, **place, names=[name for name in names if name not in sent.left_out])
            adoption_refused(connection, **place, refused=sent.left_out)
            move_marker(connection, **place, marker=names[-1])
        self.tally.batches += bool(sent.files)
        self.tally.photographs += sent.files
        self.tally.refused.update(refused.reason for refused in sent.left_out.values())
        self.tally.problem = self.tally.problem or next((refused.problem for refused in sent.left_out.values()), "")
        self.tally.labels.add(delivery.label_code)


def _denied(sent: Sent) -> str | None:
    """Return what is said of the first file that the store has and does not give out, where there is one."""
    return next((refused.problem for refused in sent.left_out.values() if refused.reason == "denied_file"), None)


def _waves(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    wave: list[Delivery] = []
    for delivery in deliveries:
        wave.append(delivery)
        if len(wave) == _WAVE_DELIVERIES:
            yield wave
            wave = []
    if wave:
        yield wave


def _lines(source_url: str, tally: Tally, left_out: LeftOut, labels: FolderLabels) -> list[str]:
    taken = f"{tally.batches:,} new batches with {tally.photographs:,} photographs of {len(tally.labels):,} labels"
    lines = [f"adopt: {source_url}: {taken}."]
    if left_out.without_label:
        pictures, folders = sum(left_out.without_label.values()), len(left_out.without_label)
        lines.append(
            f"adopt: {pictures:,} pictures in {folders:,} folders were left out, since these stand for no label. "
            "Rename a folder, or add the label, then run this again."
        )
        shown = sorted(left_out.without_label.items(), key=lambda entry: (-entry[1], entry[0]))
        lines += [f"  {count:>9,}  {folder}: {labels.problem_of(folder)}" for folder, count in shown[:_FOLDERS_SHOWN]]
        if folders > _FOLDERS_SHOWN:
            lines.append(f"  and {folders - _FOLDERS_SHOWN:,} more folders")
    others = (
        (left_out.known, "pictures that the hub has from here"),
        (left_out.in_no_folder, "pictures in no folder"),
        (left_out.no_pictures, "files that are hidden or not named like a picture"),
        (left_out.too_large, "files too large to be photographs"),
        (left_out.unusable, "names that cannot be used"),
    )
    if said := ", ".join(f"{count:,} {what}" for count, what in others if count):
        lines.append(f"adopt: also left out: {said}.")
    if left_out.first_unusable:
        lines.append(f"  The first name that cannot be used: {left_out.first_unusable}")
    if tally.refused:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(tally.refused.items()))
        lines.append(
            f"adopt: {sum(tally.refused.values()):,} pictures could not be had: {reasons}; see the table adoption_refusals. "
            "Run this with --again to ask for them once more."
        )
        lines.append(f"  The first: {tally.problem}")
    if tally.not_now:
        lines.append(f"adopt: some wait for the next run: {tally.not_now}")
    return lines


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="adopt", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="PLACE",
        help="s3://bucket/prefix, or a folder, whose folders are named after labels, by code or by name",
    )
    parser.add_argument("--supplier", required=True, metavar="EMAIL", help="the account in whose name they are taken in")
    parser.add_argument("--licence", required=True, choices=LICENCES, help="the licence of all of them")
    parser.add_argument("--attribution", metavar="NAME", help="whom to credit (the supplier, where the licence asks for it)")
    parser.add_argument("--place", metavar="PLACE", help="where all of them were taken")
    parser.add_argument("--again", action="store_true", help="list everything, and take in what the hub does not have from there")
    run_job(adopt, parser)


if __name__ == "__main__":
    main()
