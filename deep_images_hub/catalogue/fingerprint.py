"""Tell whether two catalogues say the same, whatever ids and times they say it with."""

from dataclasses import dataclass

from sqlalchemy import Connection

from deep_images_hub.catalogue.queries import load_query


@dataclass(frozen=True)
class TableFingerprint:
    """A table's content: how many rows, and a checksum in which neither their order nor any id or time of processing counts."""

    row_count: int
    checksum: str


def fingerprint(connection: Connection) -> dict[str, TableFingerprint]:
    """Return the fingerprint of every table that has rows. Two catalogues say the same exactly when these are equal.

    Reads everything: for tests and for an operator's check, not for a request.
    """
    rows = connection.execute(load_query("fingerprint"))
    return {row.table_name: TableFingerprint(row_count=row.row_count, checksum=row.checksum) for row in rows}
