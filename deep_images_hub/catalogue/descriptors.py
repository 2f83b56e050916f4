"""Descriptors of pictures that were taken in before there were any: which have none, and who was never compared.

Intake writes those of new pictures itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from deep_images_hub.images.descriptor import Descriptor

_PENDING = "from images where not exists (select from descriptors where descriptors.image_id = images.id)"


@dataclass(frozen=True)
class UndescribedImage:
    """A picture without a descriptor."""

    image_id: int
    picture_key: str


def undescribed_images(connection: Connection, *, after_id: int, limit: int) -> list[UndescribedImage]:
    """Return pictures without descriptors, by id, after a picture's id."""
    rows = connection.execute(
        text(f"select id as image_id, picture_key {_PENDING} and id > :after_id order by id limit :limit"),
        {"after_id": after_id, "limit": limit},
    )
    return [UndescribedImage(**row._mapping) for row in rows]


def undescribed_count(connection: Connection) -> int:
    """Return how many pictures have no descriptor. Reads a whole table: for jobs, not for requests."""
    return int(connection.execute(text(f"select count(*) {_PENDING}")).scalar_one())


def add_descriptors(connection: Connection, *, found: Iterable[tuple[int, Descriptor]]) -> int:
    """Write descriptors by picture, and return how many were new; those that are there stay as they are."""
    rows = sorted(found, key=lambda row: row[0])
    return connection.execute(
        text(
            "insert into descriptors (image_id, whole_hash, inner_hash, grid)"
            " select * from unnest(cast(:image_ids as bigint[]), cast(:whole as bigint[]), cast(:inner as bigint[]),"
            " cast(:grids as bytea[])) on conflict (image_id) do nothing"
        ),
        {
            "image_ids": [image_id for image_id, _ in rows],
            "whole": [descriptor.whole_hash for _, descriptor in rows],
            "inner": [descriptor.inner_hash for _, descriptor in rows],
            "grids": [descriptor.grid for _, descriptor in rows],
        },
    ).rowcount


def grids_of(connection: Connection, *, image_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the grey levels of pictures (`images.descriptor`), by id; those without a descriptor are left out."""
    rows = connection.execute(
        text("select image_id, grid from descriptors where image_id = any(cast(:image_ids as bigint[]))"),
        {"image_ids": list(image_ids)},
    )
    return {row.image_id: bytes(row.grid) for row in rows}


def uncompared_submissions(connection: Connection, *, after_id: int, limit: int) -> list[int]:
    """Return accepted submissions whose pictures have descriptors and were never compared with others, by id, after one."""
    rows = connection.execute(
        text(
            "select submissions.id from submissions join descriptors on descriptors.image_id = submissions.image_id"
            " where submissions.status = 'accepted' and submissions.id > :after_id and not exists (select from verdicts"
            " where verdicts.submission_id = submissions.id and verdicts.check_name = 'near_duplicates')"
            " order by submissions.id limit :limit"
        ),
        {"after_id": after_id, "limit": limit},
    )
    return list(rows.scalars())
