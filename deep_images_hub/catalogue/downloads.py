"""Photographs that are to be fetched from the web: which a list names, and what became of each.

waiting ──► fetched     part of a batch
   ▲  ├───► gone        for good: 404 or 410
   │  └───► differs     for good: other bytes than the list says
   └─ tried, and still missing for outside reasons
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Engine, text

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.landing.download import Download, NotFetched

_PAGE_ROWS = 10_000


def add_downloads(connection: Connection, found: Iterable[Download], *, source: str) -> int:
    """Write down photographs that are to be fetched, and return how many are new. Those that were known stay as they are.

    Labels that the catalogue does not have are left out.
    """
    added = 0
    rows = iter(found)
    while page := list(islice(rows, _PAGE_ROWS)):
        columns = {
            "names": [one.name for one in page],
            "urls": [one.url for one in page],
            "label_codes": [one.label_code for one in page],
            "licences": [one.licence for one in page],
            "attributions": [one.attribution for one in page],
            "sizes": [one.size_bytes for one in page],
            "md5s": [one.md5 for one in page],
        }
        added += connection.execute(load_query("add_downloads"), {"source": source, **columns}).rowcount
    return added


def put_back(connection: Connection, *, source: str) -> int:
    """Let everything that is missing for good wait once more, and return how many that are."""
    return connection.execute(
        text("update downloads set status = 'waiting' where source = :source and status in ('gone', 'differs')"),
        {"source": source},
    ).rowcount


def waiting_downloads(engine: Engine, *, source: str, most: int) -> Iterator[tuple[Download, ...]]:
    """Yield what waits: photographs of one label, licence and attribution together; none that was tried since this began.

    Nothing is held in the catalogue between two photographs: fetching takes days.

    Args:
        most: photographs that are yielded at once.
    """
    waiting = _waiting(engine, source)
    for _, together in groupby(waiting, key=lambda one: (one.label_code, one.licence, one.attribution)):
        while part := tuple(islice(together, most)):
            yield part


def _waiting(engine: Engine, source: str) -> Iterator[Download]:
    with engine.connect() as connection:
        begun_at = connection.scalar(text("select now()"))
    last: dict[str, Any] = {"attempts": -1, "label_id": 0, "licence": "", "credit": "", "name": ""}
    while True:
        page = {"source": source, "begun_at": begun_at, "limit": _PAGE_ROWS}
        with engine.connect() as connection:
            rows = connection.execute(load_query("waiting_downloads"), page | last).mappings().all()
        if not rows:
            return
        for row in rows:
            yield Download(**{column.name: row[column.name] for column in fields(Download)})
        last = {column: rows[-1][column] for column in last}


def download_counts(connection: Connection, *, source: str) -> dict[str, int]:
    """Return how many photographs of a list are in each status."""
    rows = connection.execute(
        text("select status, count(*) as downloads from downloads where source = :source group by status"), {"source": source}
    )
    return {row.status: int(row.downloads) for row in rows}


def downloads_fetched(connection: Connection, *, source: str, names: Iterable[str], batch_id: int) -> None:
    """Write down that photographs are part of a batch, in the transaction that makes it."""
    connection.execute(
        text(
            "update downloads set status = 'fetched', batch_id = :batch_id, problem = null, attempts = attempts + 1,"
            " tried_at = now() where source = :source and name = any(:names)"
        ),
        {"source": source, "names": list(names), "batch_id": batch_id},
    )


def downloads_failed(connection: Connection, *, source: str, failed: Mapping[str, NotFetched]) -> None:
    """Write down why photographs were not fetched, by name."""
    if not failed:
        return
    connection.execute(
        text(
            "update downloads set status = :status, problem = :problem, attempts = attempts + 1, tried_at = now()"
            " where source = :source and name = :name and status = 'waiting'"
        ),
        [{"source": source, "name": name, "status": one.status, "problem": one.problem} for name, one in failed.items()],
    )
