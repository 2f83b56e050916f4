"""What the jobs that take from other places share: deliveries are copied on Spark's partitions and registered by the driver."""

import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark import Accumulator
from pyspark.sql import SparkSession
from sqlalchemy import Connection

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.batches import create_batch
from deep_images_hub.catalogue.places import place_for
from deep_images_hub.catalogue.users import User, user_by_email
from deep_images_hub.errors import HubError, InvalidInputError
from deep_images_hub.landing.delivery import Delivery
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.landing.sending import Sent, send
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import manifest_key
from deep_images_hub.object_store.open import open_store_at
from deep_images_hub.places.geocoders import PlaceGeocoder
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub
from spark_jobs.following import follow
from spark_jobs.sending import opened_store, planned_frame

_OUTCOMES_SCHEMA = "number long, files long, unnamed long, left_out string, reason string, problem string"
# Deliveries of one task: then the store is down, and not one object of it.
_MAX_FAILURES_IN_A_ROW = 2
_OWN_AREAS = ("images", "landing", "models", "simulation", "thumbnails", "uploads")


@dataclass(frozen=True)
class NotNow:
    """A delivery that could not be sent for reasons outside of it: the next run tries again."""

    problem: str


Outcome = Sent | Refused | NotNow


def supplier_named(connection: Connection, email: str) -> User:
    """Return the account that --supplier names.

    Raises:
        InvalidInputError: there is none that may send.
    """
    supplier = user_by_email(connection, email)
    if supplier is None or not supplier.may("submit"):
        raise InvalidInputError(f"There is no account {email!r} that may send. --supplier names one; scripts/account makes one.")
    return supplier


def open_source(hub: Hub, url: str) -> ObjectStore:
    """Open a place to take photographs from.

    Raises:
        InvalidInputError: the hub's own objects lie there, or it lies among them.
        SettingsError: the URL is not one of a store.
        NotFoundError: there is no such folder.
    """
    source = open_store_at(url, hub.settings)
    own = [f"{hub.store.url}/{area}/" for area in _OWN_AREAS]
    here = f"{source.url}/"
    if f"{hub.store.url}/".startswith(here) or any(here.startswith(area) for area in own):
        raise InvalidInputError(
            f"{source.url} is where the hub keeps its own objects. Expected another folder or prefix, such as "
            f"{hub.store.url}/incoming."
        )
    return source


def send_on_spark(
    spark: SparkSession,
    settings: Settings,
    source: ObjectStore,
    deliveries: Sequence[Delivery],
    *,
    sent: "Accumulator[int]",
    on_poll: Callable[[], None],
) -> list[Outcome]:
    """Copy deliveries and write their manifests on Spark; return what became of each.

    Args:
        sent: counts photographs, for show: tasks that ran twice count twice.
        on_poll: is called now and then meanwhile.
    """

    def work() -> list[Outcome]:
        frame = planned_frame(spark, deliveries).mapInArrow(_send_planned(settings, source, sent), _OUTCOMES_SCHEMA)
        rows = sorted(frame.collect(), key=lambda row: row.number)
        return [_outcome(row.reason, row.problem, Sent(row.files, _left_out(row.left_out), row.unnamed)) for row in rows]

    return follow(spark, work, on_poll=on_poll) if deliveries else []


def register_batch(connection: Connection, store: ObjectStore, geocoder: PlaceGeocoder, delivery: Delivery) -> int:
    """Bring a delivery that was sent into the catalogue, and return its batch's id. Again: nothing changes."""
    # Not what the delivery says now: what was said when it was sent.
    manifest = manifest_from_json(store.read(manifest_key(delivery.batch_key)))
    place_id = place_for(connection, geocoder, manifest.place_query) if manifest.place_query else None
    return create_batch(connection, manifest=manifest, place_id=place_id)


def _left_out(written: str) -> dict[str, Refused]:
    return {filename: Refused(reason, problem) for filename, (reason, problem) in json.loads(written).items()}


def _outcome(reason: str | None, problem: str | None, sent: Sent) -> Outcome:
    if problem is None:
        return sent
    return NotNow(problem) if reason is None else Refused(reason, problem)


def _send_planned(
    settings: Settings, source: ObjectStore, sent: "Accumulator[int]"
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow` over `planned_frame`: it sends deliveries, and gives a row for each."""

    def run(tables: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store = opened_store(settings)
        failed: list[NotNow] = []
        for table in tables:
            outcomes: list[Outcome] = []
            for planned in table.column("batch").to_pylist():
                if len(failed) == _MAX_FAILURES_IN_A_ROW:
                    # Who cannot be reached is not asked again for each of the rest.
                    outcomes.append(failed[-1])
                    continue
                # Made by planned_frame a moment ago, in the job's own driver.
                outcome = _send_one(pickle.loads(planned), source, store, sent)  # noqa: S301
                failed = [*failed, outcome] if isinstance(outcome, NotNow) else []
                outcomes.append(outcome)
            yield _rows(table.column("number"), outcomes)

    return run


def _send_one(delivery: Delivery, source: ObjectStore, store: ObjectStore, sent: "Accumulator[int]") -> Outcome:
    try:
        return send(delivery, source, store, on_sent=sent.add)
    except HubError as error:
        return NotNow(str(error))


def _written(sent: Sent) -> str:
    return json.dumps({filename: (refused.reason, refused.problem) for filename, refused in sent.left_out.items()})


def _rows(numbers: pa.Array, outcomes: Sequence[Outcome]) -> pa.RecordBatch:
    counts = [outcome if isinstance(outcome, Sent) else Sent(0) for outcome in outcomes]
    return pa.RecordBatch.from_pydict(
        {
            "number": numbers,
            "files": pa.array([count.files for count in counts], pa.int64()),
            "unnamed": pa.array([count.unnamed for count in counts], pa.int64()),
            "left_out": pa.array([_written(count) for count in counts], pa.string()),
            "reason": pa.array([getattr(outcome, "reason", None) for outcome in outcomes], pa.string()),
            "problem": pa.array([getattr(outcome, "problem", None) for outcome in outcomes], pa.string()),
        }
    )
