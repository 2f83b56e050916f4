"""What came from other places: what became of suppliers' manifests, and how far each folder of an adopted tree was taken in."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.tables import adopted_folders, adoption_refusals, batches, deliveries, submissions
from deep_images_hub.errors import ConflictError
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.object_store import ObjectStat

# The class of the advisory locks of those who take from a source; any number that nobody else takes.
_LOCK_CLASS = 0x44494809


@dataclass(frozen=True)
class DecidedManifest:
    """A supplier's manifest as it was when it was decided on.

    Attributes:
        modified_at: by the source's clock.
        is_refused: it became no batch.
    """

    size_bytes: int
    modified_at: datetime
    is_refused: bool

    def is_still(self, found: ObjectStat) -> bool:
        """Say whether nobody has put another one there since, as far as a listing shows."""
        return (self.size_bytes, self.modified_at) == (found.size_bytes, found.modified_at)


@dataclass(frozen=True)
class RefusedDelivery:
    """A supplier's manifest that was refused.

    Attributes:
        manifest_key: in the source.
        reason: one of `landing.refusals.REFUSALS`.
        problem: what was found and what was expected, for people.
    """

    manifest_key: str
    reason: str
    problem: str
    decided_at: datetime


@contextmanager
def landing_alone(engine: Engine, source_url: str) -> Iterator[None]:
    """Keep everybody else from taking from the same source meanwhile, also after this process is killed: the lock dies with it.

    Raises:
        ConflictError: somebody else is taking from it.
    """
    key = {"class": _LOCK_CLASS, "source": source_url}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("select pg_try_advisory_lock(:class, hashtext(:source))"), key):
            raise ConflictError(f"Another run is taking from {source_url}. Wait until it has ended, then run this again.")
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:class, hashtext(:source))"), key)


def decided_manifests(connection: Connection, *, source_url: str) -> dict[str, DecidedManifest]:
    """Return the manifests of a source that were decided on, by key."""
    columns = (deliveries.c.manifest_key, deliveries.c.size_bytes, deliveries.c.modified_at, deliveries.c.status)
    rows = connection.execute(select(*columns).where(deliveries.c.source == source_url))
    return {row.manifest_key: DecidedManifest(row.size_bytes, row.modified_at, row.status == "refused") for row in rows}


def manifest_landed(
    connection: Connection, *, source_url: str, found: ObjectStat, supplier_id: int, batch_id: int, unnamed: int
) -> None:
    """Write down that a manifest became a batch, in the transaction that makes the batch.

    Args:
        unnamed: objects in its folder that it does not name.
    """
    values = {"status": "landed", "supplier_id": supplier_id, "batch_id": batch_id, "unnamed_count": unnamed}
    _decide(connection, source_url, found, values)


def manifest_refused(
    connection: Connection, *, source_url: str, found: ObjectStat, supplier_id: int | None, refused: Refused
) -> None:
    """Write down why a manifest became no batch. One that became a batch before keeps it: what was taken in stays."""
    values = {"status": "refused", "supplier_id": supplier_id, "reason": refused.reason, "problem": refused.problem}
    _decide(connection, source_url, found, values)


def forget_refused(connection: Connection, *, source_url: str, manifest_keys: Collection[str]) -> None:
    """Forget manifests that were refused and that nobody offers any longer. What became a batch is kept."""
    connection.execute(
        delete(deliveries).where(
            deliveries.c.source == source_url,
            deliveries.c.manifest_key.in_(manifest_keys),
            deliveries.c.status == "refused",
        )
    )


def _decide(connection: Connection, source_url: str, found: ObjectStat, values: Mapping[str, object]) -> None:
    nothing = dict.fromkeys(("reason", "problem", "supplier_id", "batch_id", "unnamed_count"))
    decided = {**nothing, **values, "size_bytes": found.size_bytes, "modified_at": found.modified_at}
    statement = insert(deliveries).values(source=source_url, manifest_key=found.key, **decided)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[deliveries.c.source, deliveries.c.manifest_key], set_={**decided, "decided_at": text("now()")}
        )
    )


def refused_deliveries(connection: Connection, *, supplier_id: int, limit: int = 20) -> list[RefusedDelivery]:
    """Return the manifests in a supplier's name that are refused as they are now, latest first."""
    rows = connection.execute(
        select(deliveries.c.manifest_key, deliveries.c.reason, deliveries.c.problem, deliveries.c.decided_at)
        .where(deliveries.c.supplier_id == supplier_id, deliveries.c.status == "refused")
        .order_by(deliveries.c.decided_at.desc(), deliveries.c.manifest_key)
        .limit(limit)
    )
    return [RefusedDelivery(**row._mapping) for row in rows]


def folder_markers(connection: Connection, *, source_url: str) -> dict[str, str]:
    """Return the name of the last file that was taken in, for each folder of a source that is known; empty where none was."""
    rows = connection.execute(
        select(adopted_folders.c.folder, adopted_folders.c.marker).where(adopted_folders.c.source == source_url)
    )
    return {row.folder: row.marker for row in rows}


def move_marker(connection: Connection, *, source_url: str, folder: str, marker: str) -> None:
    """Write down up to which name a folder is taken in, in the transaction that makes the batch. It never moves back."""
    statement = insert(adopted_folders).values(source=source_url, folder=folder, marker=marker)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[adopted_folders.c.source, adopted_folders.c.folder],
            set_={"marker": statement.excluded.marker, "marked_at": text("now()")},
            where=statement.excluded.marker > adopted_folders.c.marker,
        )
    )


def adoption_refused(connection: Connection, *, source_url: str, folder: str, refused: Mapping[str, Refused]) -> None:
    """Write down why files of a folder could not be had, by name, in the transaction that moves the marker past them."""
    if not refused:
        return
    statement = insert(adoption_refusals)
    key = (adoption_refusals.c.source, adoption_refusals.c.folder, adoption_refusals.c.name)
    written = {"reason": statement.excluded.reason, "problem": statement.excluded.problem, "refused_at": text("now()")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_=written),
        [
            {"source": source_url, "folder": folder, "name": name, "reason": one.reason, "problem": one.problem}
            for name, one in refused.items()
        ],
    )


def forget_adoption_refusals(connection: Connection, *, source_url: str, folder: str, names: Collection[str]) -> None:
    """Forget that files of a folder could not be had, in the transaction that makes them part of a batch."""
    key = adoption_refusals.c
    connection.execute(delete(adoption_refusals).where(key.source == source_url, key.folder == folder, key.name.in_(names)))


def know_folders(connection: Connection, *, source_url: str, folders: Collection[str]) -> None:
    """Write down folders that are to be looked into from now on, wherever the markers of those above them stand."""
    if folders:
        statement = insert(adopted_folders).on_conflict_do_nothing()
        connection.execute(statement, [{"source": source_url, "folder": folder, "marker": ""} for folder in folders])


def names_from(connection: Connection, *, origin: str) -> set[str]:
    """Return the names of all files that were ever taken in from an origin, whatever became of them."""
    rows = connection.execute(
        select(submissions.c.filename).join(batches, batches.c.id == submissions.c.batch_id).where(batches.c.origin == origin)
    )
    return set(rows.scalars())
