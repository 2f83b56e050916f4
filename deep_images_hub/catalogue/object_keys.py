"""Every key that the catalogue names, by the area of the store that it lies in."""

from collections.abc import Iterator

from sqlalchemy import Connection

from deep_images_hub.catalogue.queries import load_query

_PAGE_ROWS = 10_000


def object_key_counts(connection: Connection) -> dict[str, int]:
    """Return how many keys are named in each area, such as `images/`. Reads whole tables: for jobs, not for requests."""
    return {row.area: row.names for row in connection.execute(load_query("object_key_counts"))}


def object_keys(connection: Connection, *, area: str) -> Iterator[str]:
    """Yield the keys of an area in order of their UTF-8 bytes, as of one moment, through a cursor of the server."""
    rows = connection.execute(
        load_query("object_keys"), {"area": area}, execution_options={"stream_results": True, "yield_per": _PAGE_ROWS}
    )
    yield from rows.scalars()
