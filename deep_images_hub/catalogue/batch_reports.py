"""What became of a batch, file by file: for its supplier and for operators."""

from collections.abc import Iterator

from sqlalchemy import Connection

from deep_images_hub.batches.report import BatchQuality, FileReport
from deep_images_hub.catalogue.queries import load_query

_PAGE_FILES = 1000


def file_reports(connection: Connection, *, batch_key: str, after_position: int = -1, limit: int = 100) -> list[FileReport]:
    """Return what became of a batch's files in the manifest's order, after a position."""
    parameters = {"batch_key": batch_key, "after_position": after_position, "limit": limit}
    return [FileReport(**row._mapping) for row in connection.execute(load_query("batch_report"), parameters)]


def all_file_reports(connection: Connection, *, batch_key: str) -> Iterator[FileReport]:
    """Yield what became of every file of a batch; memory stays flat, whatever its size."""
    after_position = -1
    while page := file_reports(connection, batch_key=batch_key, after_position=after_position, limit=_PAGE_FILES):
        yield from page
        after_position = page[-1].position


def batch_quality(connection: Connection, *, batch_key: str) -> BatchQuality:
    """Return how good a batch's photographs are."""
    return BatchQuality(**connection.execute(load_query("batch_quality"), {"batch_key": batch_key}).one()._mapping)
