"""Batches and their submissions: taking one in, the queue of those that wait, lists and the funnel. Deciding is `intake`'s."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.batches.manifest import Manifest
from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import batches
from deep_images_hub.catalogue.users import ensure_supplier
from deep_images_hub.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class BatchPlace:
    """Where a batch was taken, as coarsely as it is kept. Degrees, WGS 84."""

    country_code: str
    region: str | None
    city: str
    postcode: str | None
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Batch:
    """One supplier's photographs for one label.

    Attributes:
        id: its row.
        key: the sender's name for it; unique.
        status: `pending` until every submission is decided, then `closed`.
        supplier_id: whose it is.
        place: None when the supplier shared none.
        closed_at: None while it is pending. The counts of what was decided are 0 until then.
    """

    id: int
    key: str
    status: str
    label_code: str
    label_name: str
    supplier_id: int
    supplier_name: str
    licence: str
    submitted_count: int
    accepted_count: int
    rejected_count: int
    review_count: int
    submitted_at: datetime
    closed_at: datetime | None
    place: BatchPlace | None

    @property
    def cursor(self) -> tuple[datetime, int]:
        """Where it stands among the newest batches: hand it over as `before` to read on."""
        return (self.submitted_at, self.id)


@dataclass(frozen=True)
class BatchesPlace:
    """A city that some batches come from. Where it is: as of the newest. accepted: their pictures that were let in."""

    country_code: str
    city: str
    latitude: float
    longitude: float
    batches: int
    accepted: int


@dataclass(frozen=True)
class PendingBatch:
    """A batch that waits for intake."""

    id: int
    key: str
    label_id: int
    supplier_id: int
    submitted_count: int


@dataclass(frozen=True)
class Submission:
    """One object of a batch and what became of it.

    Attributes:
        position: its place in the manifest, from 0.
        status: one of `verdicts.SUBMISSION_STATUSES`.
        reason: one of `verdicts.REASONS` where it was rejected or needs review, else None.
        image_sha256: its picture; for a duplicate, the original; None where there is none.
    """

    position: int
    object_key: str
    filename: str
    size_bytes: int
    taken_at: datetime | None
    status: str
    reason: str | None
    image_sha256: str | None


@dataclass(frozen=True)
class Funnel:
    """What became of what was sent: `submitted == pending + accepted + sum(rejected) + sum(review)`.

    Attributes:
        rejected: submissions by reason.
        review: submissions by reason.
    """

    submitted: int
    pending: int
    accepted: int
    rejected: Mapping[str, int]
    review: Mapping[str, int]


def create_batch(
    connection: Connection, *, manifest: Manifest, place_id: int | None = None, supplier_id: int | None = None
) -> int:
    """Take in a batch and its submissions, all pending, and return its id. Sending the same manifest again changes nothing.

    An account is made for a supplier who has none.

    Args:
        place_id: the place that the manifest's query stands for; None when it names none, or none that is known. A batch keeps
            the one that it was sent with: another geocoder may answer otherwise, and the manifest is the same.
        supplier_id: the account that sends it, where that is known; None: that of the manifest's address. Its owner may have
            another address since the manifest was written.

    Raises:
        ConflictError: a batch of this key has another content, or an object belongs to another batch.
        NotFoundError: the label does not exist.
    """
    label = label_by_code(connection, manifest.label_code)
    if supplier_id is None:
        supplier_id = ensure_supplier(connection, email=manifest.supplier_email, display_name=manifest.supplier_name)
    values = {
        "key": manifest.batch_key,
        "supplier_id": supplier_id,
        "label_id": label.id,
        "place_id": place_id,
        "licence": manifest.licence,
        "attribution": manifest.attribution,
        "manifest_key": manifest.key,
        "origin": manifest.origin,
        "submitted_count": len(manifest.objects),
        "submitted_at": manifest.submitted_at,
    }
    batch_id: int | None = connection.execute(
        insert(batches).values(values).on_conflict_do_nothing(index_elements=[batches.c.key]).returning(batches.c.id)
    ).scalar_one_or_none()
    if batch_id is None:
        return _same_batch_id(connection, manifest, values)
    rows = _submission_rows(manifest)
    _refuse_foreign_objects(connection, [str(row[1]) for row in rows])
    copy_rows(
        connection,
        "submissions",
        ("batch_id", "position", "object_key", "filename", "size_bytes", "taken_at"),
        ((batch_id, *row) for row in rows),
    )
    return batch_id


def _submission_rows(manifest: Manifest) -> list[tuple[int, str, str, int, datetime | None]]:
    return [
        (position, sent.object_key, sent.filename, sent.size_bytes, sent.taken_at)
        for position, sent in enumerate(manifest.objects)
    ]


def _same_batch_id(connection: Connection, manifest: Manifest, values: Mapping[str, object]) -> int:
    """Return the id of the batch that has the manifest's key, or raise ConflictError when it is not the same batch."""
    kept = connection.execute(select(batches).where(batches.c.key == manifest.batch_key)).one()
    differences = [column for column, value in values.items() if column != "place_id" and kept._mapping[column] != value]
    if not differences:
        rows = connection.execute(
            text(
                "select position, object_key, filename, size_bytes, taken_at from submissions"
                " where batch_id = :batch_id order by position"
            ),
            {"batch_id": kept.id},
        )
        if [tuple(row) for row in rows] == _submission_rows(manifest):
            return int(kept.id)
        differences = ["objects"]
    raise ConflictError(
        f"There is another batch with the key {manifest.batch_key!r}: it differs in {', '.join(differences)}. "
        "Send what is new under a new key; what was sent never changes."
    )


def _refuse_foreign_objects(connection: Connection, object_keys: Sequence[str]) -> None:
    taken = connection.execute(
        text(
            "select submissions.object_key, batches.key from submissions join batches on batches.id = submissions.batch_id"
            " where submissions.object_key = any(:object_keys) order by submissions.object_key limit 1"
        ),
        {"object_keys": list(object_keys)},
    ).one_or_none()
    if taken is not None:
        raise ConflictError(
            f"The object {taken.object_key!r} belongs to the batch {taken.key!r}. Store each batch's objects apart."
        )


def pending_batches(connection: Connection, *, limit: int, after_id: int = 0) -> list[PendingBatch]:
    """Return batches that wait for intake, oldest first, after a batch's id."""
    rows = connection.execute(
        text(
            "select id, key, label_id, supplier_id, submitted_count from batches"
            " where status = 'pending' and id > :after_id order by id limit :limit"
        ),
        {"after_id": after_id, "limit": limit},
    )
    return [PendingBatch(**row._mapping) for row in rows]


def latest_batches(
    connection: Connection,
    *,
    city: str | None = None,
    supplier_id: int | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> list[Batch]:
    """Return the newest batches, newest first: of a city or of everywhere, of a supplier or of all.

    Read on with `before=page[-1].cursor`.
    """
    before_time, before_id = before or (None, None)
    parameters = {
        "city": city,
        "supplier_id": supplier_id,
        "before_time": before_time,
        "before_id": before_id,
        "limit": limit,
    }
    return [_batch(row) for row in connection.execute(load_query("latest_batches"), parameters)]


def latest_batches_geojson(connection: Connection, *, city: str | None = None, limit: int = 100) -> dict[str, Any]:
    """Return the newest batches that have a place, of a city or of everywhere, as a GeoJSON FeatureCollection (RFC 7946)."""
    geojson: dict[str, Any] = connection.execute(
        load_query("latest_batches_geojson"), {"city": city, "limit": limit}
    ).scalar_one()
    return geojson


def latest_places(connection: Connection, *, city: str | None = None, limit: int = 100) -> list[BatchesPlace]:
    """Return where the newest batches that have a place come from: of a city or of everywhere."""
    rows = connection.execute(load_query("latest_places"), {"city": city, "limit": limit})
    return [BatchesPlace(**row._mapping) for row in rows]


def batch_by_key(connection: Connection, key: str) -> Batch:
    """Return a batch. Raises NotFoundError."""
    row = connection.execute(load_query("batch_by_key"), {"key": key}).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no batch with the key {key!r}.")
    return _batch(row)


def _batch(row: Row[Any]) -> Batch:
    values = dict(row._mapping)
    place = {name: values.pop(name) for name in ("country_code", "region", "city", "postcode", "latitude", "longitude")}
    return Batch(**values, place=BatchPlace(**place) if place["city"] is not None else None)


def submissions_of(connection: Connection, *, batch_key: str, after_position: int = -1, limit: int = 100) -> list[Submission]:
    """Return a batch's submissions in the manifest's order, after a position."""
    rows = connection.execute(
        text(
            "select submissions.position, submissions.object_key, submissions.filename, submissions.size_bytes,"
            " submissions.taken_at, submissions.status, submissions.reason, images.sha256 as image_sha256"
            " from batches join submissions on submissions.batch_id = batches.id"
            " left join images on images.id = submissions.image_id"
            " where batches.key = :batch_key and submissions.position > :after_position"
            " order by submissions.position limit :limit"
        ),
        {"batch_key": batch_key, "after_position": after_position, "limit": limit},
    )
    return [Submission(**row._mapping) for row in rows]


def batch_funnel(connection: Connection, *, batch_key: str | None = None) -> Funnel:
    """Return what became of the submissions of one batch, or of all when batch_key is None."""
    if batch_key is None:
        return _funnel(connection.execute(load_query("funnel")).all())
    return _funnel(connection.execute(load_query("batch_funnel"), {"batch_key": batch_key}).all())


def crowd_funnel(connection: Connection, *, crowd: str) -> Funnel:
    """Return what became of the submissions of a simulated crowd: of all batches whose key begins with its name."""
    return _funnel(connection.execute(load_query("crowd_funnel"), {"crowd": crowd}).all())


def crowd_label_codes(connection: Connection, *, crowd: str) -> list[str]:
    """Return the labels that a simulated crowd sent photographs for, by code."""
    codes = connection.execute(
        text(
            "select distinct labels.code from batches join labels on labels.id = batches.label_id"
            " where starts_with(batches.key, :crowd || '-') order by labels.code"
        ),
        {"crowd": crowd},
    )
    return list(codes.scalars())


def _funnel(rows: Sequence[Row[Any]]) -> Funnel:
    by_reason: dict[str, dict[str, int]] = {"rejected": {}, "review": {}}
    by_status = {"pending": 0, "accepted": 0}
    for row in rows:
        if row.reason is None:
            by_status[row.status] += int(row.submissions)
        else:
            by_reason[row.status][row.reason] = int(row.submissions)
    return Funnel(
        submitted=sum(int(row.submissions) for row in rows),
        pending=by_status["pending"],
        accepted=by_status["accepted"],
        rejected=MappingProxyType(by_reason["rejected"]),
        review=MappingProxyType(by_reason["review"]),
    )
