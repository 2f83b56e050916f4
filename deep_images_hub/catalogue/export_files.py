"""What is known of files that were exported before: an ETag stands for the same bytes every time."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.tables import export_files


@dataclass(frozen=True)
class KnownFile:
    """The length and the sha256 of a file."""

    size_bytes: int
    sha256: str


def known_files(connection: Connection, etags: Collection[str]) -> dict[str, KnownFile]:
    """Return what is known of files, by ETag; those that nobody had to the end are missing."""
    rows = connection.execute(
        select(export_files.c.etag, export_files.c.size_bytes, export_files.c.sha256).where(export_files.c.etag.in_(etags))
    )
    return {row.etag: KnownFile(row.size_bytes, row.sha256) for row in rows}


def keep_file(connection: Connection, *, etag: str, file: KnownFile) -> None:
    """Write down what was found out of a file. Who comes second changes nothing."""
    connection.execute(insert(export_files).values(etag=etag, **vars(file)).on_conflict_do_nothing())
