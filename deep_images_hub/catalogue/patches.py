"""Dataset versions and pictures that were taken down: which versions lost some, what takes their place, and the tombstones."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.datasets import DatasetVersion, version_by_id
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.datasets.split import Candidate, SplitCandidate

# The advisory lock of whoever takes a picture down; any number that nobody else takes.
_LOCK_KEY = 0x4449480A


@dataclass(frozen=True)
class Tombstone:
    """A picture that a version, or one that it patches, had before it was taken down. is_own: the version itself has it."""

    sha256: str
    taken_down_at: datetime
    is_own: bool


def tombstones(connection: Connection, version_id: int) -> list[Tombstone]:
    """Return the tombstones of a version and of those that it patches, by sha256."""
    rows = connection.execute(load_query("tombstones"), {"version_id": version_id})
    return [Tombstone(**row._mapping) for row in rows]


def one_takedown_at_a_time(connection: Connection) -> None:
    """Wait for whoever takes a picture down, and keep others from it until the transaction ends.

    Each locks its picture and writes patches with all others: two of one version would wait for each other.
    """
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def is_takedown_under_way(connection: Connection) -> bool:
    """Say whether somebody takes a picture down at this moment; where not, nobody begins to until the transaction ends."""
    return not connection.execute(text("select pg_try_advisory_xact_lock_shared(:key)"), {"key": _LOCK_KEY}).scalar_one()


def mark_taken_down(connection: Connection, *, image_id: int) -> None:
    """Write down that a picture is taken down now.

    Waits for whoever freezes a version with it at this moment, so that `unpatched_versions_with` finds that one too.
    """
    connection.execute(text("select from images where id = :id for update"), {"id": image_id})
    connection.execute(text("update images set taken_down_at = now() where id = :id"), {"id": image_id})


def unpatched_versions_with(connection: Connection, *, image_id: int) -> list[DatasetVersion]:
    """Return the versions that have a picture and that nothing has taken the place of yet, oldest first."""
    ids = connection.execute(
        text(
            "select version_id from dataset_items join dataset_versions on dataset_versions.id = version_id"
            " where image_id = :image_id and patched_by is null order by version_id"
        ),
        {"image_id": image_id},
    ).scalars()
    return [version_by_id(connection, version_id) for version_id in ids.all()]


def pictures_left(connection: Connection, version_id: int) -> list[SplitCandidate]:
    """Return the pictures of a version that were not taken down, with their labels, splits and groups as they were frozen."""
    rows = connection.execute(load_query("version_candidates"), {"version_id": version_id})
    return [
        SplitCandidate(
            candidate=Candidate(
                image_id=row.image_id,
                sha256=row.sha256,
                label_id=row.label_id,
                label_code=row.label_code,
                batch_key=row.batch_key,
                # Groups are made already.
                duplicate_group=None,
                size_bytes=row.size_bytes,
            ),
            split=row.split,
            group_key=row.group_key,
        )
        for row in rows
    ]


def mark_patched(connection: Connection, *, version_id: int, patched_by: int) -> None:
    """Write down which version takes a version's place."""
    connection.execute(
        text("update dataset_versions set patched_by = :patched_by where id = :version_id"),
        {"version_id": version_id, "patched_by": patched_by},
    )


def latest_patch(connection: Connection, version: DatasetVersion) -> DatasetVersion:
    """Return the version that took a version's place last; itself where none did."""
    while version.patched_by is not None:
        version = version_by_id(connection, version.patched_by)
    return version


def patch_count(connection: Connection, version_id: int) -> int:
    """Return how often pictures were taken down to come to this version: how long the chain of versions is that it patches."""
    count: int = connection.execute(
        text(
            "with recursive chain (version_id, place) as (select cast(:version_id as bigint), 0 union all"
            " select dataset_versions.id, place + 1 from chain join dataset_versions on patched_by = chain.version_id)"
            " select max(place) from chain"
        ),
        {"version_id": version_id},
    ).scalar_one()
    return count
