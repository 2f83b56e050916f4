"""Files of exports that are kept in the store: which, for how much room, since when nobody asked for them.

A row is written before its object is made and goes after it was removed. Between the two it is being made, kept, or forgotten:
a forgotten one is given to nobody, and whoever comes next removes it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from deep_images_hub.catalogue.patches import is_takedown_under_way, tombstones
from deep_images_hub.catalogue.tables import kept_files

# The advisory lock of whoever makes room, or takes some up; any number that nobody else takes.
_ROOM_LOCK = 0x4449480C
# Nobody makes a file a second time that somebody else began so short a while ago, and may still be at.
_UNDER_WAY_HOURS = 1
# Whoever has been making a file for so long is dead: none is sent for a day.
_GIVEN_UP_HOURS = 24


@dataclass(frozen=True)
class KeptRow:
    """A kept file, or one that is to be made: its row, and the key of its object."""

    id: int
    object_key: str


def kept_file(connection: Connection, etag: str) -> KeptRow | None:
    """Return the kept file with an ETag, which somebody asks for now, or None."""
    is_kept = kept_files.c.kept_at.is_not(None) & ~kept_files.c.is_forgotten
    row = connection.execute(
        select(kept_files.c.id, kept_files.c.object_key).where(kept_files.c.etag == etag, is_kept)
    ).one_or_none()
    return None if row is None else KeptRow(row.id, row.object_key)


def note_use(connection: Connection, row_id: int) -> None:
    """Write down, to the minute, that somebody got a kept file."""
    connection.execute(
        text("update kept_files set used_at = now() where id = :id and used_at < now() - interval '1 minute'"), {"id": row_id}
    )


def begin_keeping(
    connection: Connection,
    *,
    etag: str,
    version_id: int,
    credits_revision: int,
    object_key: str,
    size_bytes: int,
    room_bytes: int,
    spared_days: int,
) -> int | None:
    """Take up room for a file, forgetting others for it, and return its row; None: it is not to be made.

    That is so where somebody else makes or keeps it, where there is no room, and where the version is not, or in this moment may
    cease to be, the one to use: a picture was taken down, or a supplier's name was taken back.

    Args:
        size_bytes: its length, or about that.
        room_bytes: of all kept files together.
        spared_days: files that somebody asked for within so many days do not give way.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ROOM_LOCK})
    if is_takedown_under_way(connection) or not _is_current(connection, version_id, credits_revision):
        return None
    is_there = connection.execute(
        text(
            "select exists (select from kept_files where etag = :etag and not is_forgotten"
            " and (kept_at is not null or begun_at > now() - make_interval(hours => :hours)))"
        ),
        {"etag": etag, "hours": _UNDER_WAY_HOURS},
    )
    if is_there.scalar_one() or not _make_room(connection, size_bytes, room_bytes, spared_days=spared_days):
        return None
    row_id: int = connection.execute(
        text(
            "insert into kept_files (etag, version_id, object_key, size_bytes)"
            " values (:etag, :version_id, :object_key, :size_bytes) returning id"
        ),
        {"etag": etag, "version_id": version_id, "object_key": object_key, "size_bytes": size_bytes},
    ).scalar_one()
    return row_id


def end_keeping(connection: Connection, row_id: int, *, size_bytes: int, room_bytes: int) -> bool:
    """Give out a file whose object is there now, unless it was forgotten meanwhile, somebody else was first, or it has no room.

    False: it has no row any more, so that its object is the caller's to remove. One that is forgotten `next_forgotten` names.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ROOM_LOCK})
    others = text("select coalesce(sum(size_bytes), 0) from kept_files where kept_at is null and not is_forgotten and id <> :id")
    has_room = size_bytes + connection.execute(others, {"id": row_id}).scalar_one() <= room_bytes
    row = connection.execute(
        text(
            "update kept_files set kept_at = now(), used_at = now(), size_bytes = :size_bytes,"
            " is_forgotten = is_forgotten or not :has_room or exists (select from kept_files as first"
            " where first.etag = kept_files.etag and first.kept_at is not null and not first.is_forgotten)"
            " where id = :id returning id"
        ),
        {"id": row_id, "size_bytes": size_bytes, "has_room": has_room},
    ).one_or_none()
    forget_beyond(connection, room_bytes)
    return row is not None


def give_up_keeping(connection: Connection, row_id: int) -> None:
    """Let go of a file that was not made: there is no object of it."""
    connection.execute(text("delete from kept_files where id = :id and kept_at is null"), {"id": row_id})


def forget_file(connection: Connection, row_id: int) -> None:
    """Give a file to nobody any more."""
    connection.execute(text("update kept_files set is_forgotten = true where id = :id"), {"id": row_id})


def forget_files_with(connection: Connection, *, image_id: int) -> None:
    """Give the files of versions that have a picture to nobody any more, those too that are being made."""
    connection.execute(
        text(
            "update kept_files set is_forgotten = true"
            " where version_id in (select version_id from dataset_items where image_id = :image_id)"
        ),
        {"image_id": image_id},
    )


def forget_files_of(connection: Connection, version_ids: list[int]) -> None:
    """Give the files of versions to nobody any more, those too that are being made."""
    connection.execute(text("update kept_files set is_forgotten = true where version_id = any(:ids)"), {"ids": version_ids})


def forget_beyond(connection: Connection, room_bytes: int) -> None:
    """Forget kept files until what is kept and made has room, those first that nobody asked for longest."""
    taken = text("select coalesce(sum(size_bytes), 0) from kept_files where not is_forgotten")
    _forget_oldest(connection, connection.execute(taken).scalar_one() - room_bytes)


def next_forgotten(connection: Connection) -> KeptRow | None:
    """Return a file that is to be removed, and keep others from it until the transaction ends; None: there is none.

    One that is forgotten while it is made is left to whoever makes it, for a day.
    """
    row = connection.execute(
        text(
            "select id, object_key from kept_files"
            " where (is_forgotten and kept_at is not null)"
            " or (kept_at is null and begun_at < now() - make_interval(hours => :hours))"
            " order by id limit 1 for update skip locked"
        ),
        {"hours": _GIVEN_UP_HOURS},
    ).one_or_none()
    return None if row is None else KeptRow(row.id, row.object_key)


def remove_row(connection: Connection, row_id: int) -> None:
    """Let go of a file whose object was removed."""
    connection.execute(text("delete from kept_files where id = :id"), {"id": row_id})


def _is_current(connection: Connection, version_id: int, credits_revision: int) -> bool:
    """Say whether a version is the one to use, with the names that suppliers ask for; nobody changes that meanwhile."""
    row = connection.execute(
        text(
            "select id from dataset_versions where id = :id and patched_by is null and credits_revision = :credits_revision"
            " for share skip locked"
        ),
        {"id": version_id, "credits_revision": credits_revision},
    ).one_or_none()
    # Where nothing is left of it, no other version takes its place.
    return row is not None and not any(stone.is_own for stone in tombstones(connection, version_id))


def _make_room(connection: Connection, size_bytes: int, room_bytes: int, *, spared_days: int) -> bool:
    row = connection.execute(
        text(
            "select coalesce(sum(size_bytes), 0) as taken, coalesce(sum(size_bytes) filter"
            " (where kept_at is null or used_at > now() - make_interval(days => :spared_days)), 0) as spared"
            " from kept_files where not is_forgotten"
        ),
        {"spared_days": spared_days},
    ).one()
    if size_bytes + row.spared > room_bytes:
        return False
    _forget_oldest(connection, row.taken + size_bytes - room_bytes)
    return True


def _forget_oldest(connection: Connection, surplus_bytes: int) -> None:
    if surplus_bytes <= 0:
        return
    connection.execute(
        text(
            "with kept as (select id, sum(size_bytes) over (order by used_at, id) - size_bytes as freed_before from kept_files"
            " where kept_at is not null and not is_forgotten)"
            " update kept_files set is_forgotten = true from kept where kept.id = kept_files.id and freed_before < :surplus_bytes"
        ),
        {"surplus_bytes": surplus_bytes},
    )
