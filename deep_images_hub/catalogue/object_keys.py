"""Every key that the catalogue names, by the area of the store that it lies in, and who may remove what it does not name.

Objects are stored before the catalogue names them, and what a dead run left behind is used again. So whoever names objects holds
sweeps off while it looks whether they are there and until its transaction ends, and a sweep looks once more what is named.
"""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query

_PAGE_ROWS = 10_000
# The advisory lock between those who name objects, who share it, and who removes what nothing names.
_LOCK = 0x4449480B


def object_key_counts(connection: Connection) -> dict[str, int]:
    """Return how many keys are named in each area, such as `images/`. Reads whole tables: for jobs, not for requests."""
    return {row.area: row.names for row in connection.execute(load_query("object_key_counts"))}


def object_keys(connection: Connection, *, area: str) -> Iterator[str]:
    """Yield the keys of an area in order of their UTF-8 bytes, as of one moment, through a cursor of the server."""
    rows = connection.execute(
        load_query("object_keys"), {"area": area}, execution_options={"stream_results": True, "yield_per": _PAGE_ROWS}
    )
    yield from rows.scalars()


def hold_off_sweeps(connection: Connection) -> None:
    """Let no sweep remove anything until the transaction ends."""
    connection.execute(text("select pg_advisory_xact_lock_shared(:lock)"), {"lock": _LOCK})


def still_unnamed(connection: Connection, *, area: str, keys: Collection[str]) -> list[str]:
    """Return those of some keys that the catalogue does not name now; nobody names any until the transaction ends.

    Waits for those who are naming some.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    return unnamed_keys(connection, area=area, keys=keys)


def unnamed_keys(connection: Connection, *, area: str, keys: Collection[str]) -> list[str]:
    """Return those of some keys that the catalogue does not name at this moment."""
    return list(connection.execute(load_query("unnamed_keys"), {"area": area, "keys": list(keys)}).scalars())
