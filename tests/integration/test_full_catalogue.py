"""The catalogue that benches fill: as intake would have left it, and with all its constraints and indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.near_duplicates import find_likenesses
from deep_images_hub.measuring.full_catalogue import fill_catalogue

if TYPE_CHECKING:
    from deep_images_hub.wiring import Hub


def schema(connection: Connection) -> set[tuple[str, str]]:
    constraints = "select conname::text, pg_get_constraintdef(oid) from pg_constraint"
    indexes = "select indexname::text, indexdef from pg_indexes where schemaname = 'public'"
    return {(name, definition) for name, definition in connection.execute(text(f"{constraints} union {indexes}"))}


def test_filling_takes_each_picture_as_long_however_many_there_are(hub: Hub) -> None:
    fill_catalogue(hub.engine, 1_000)
    with hub.engine.connect() as connection:
        connection.execute(text("select pg_stat_force_next_flush()"))
        connection.rollback()
        scans = connection.scalar(text("select seq_scan from pg_stat_user_tables where relname = 'submissions'"))
    # Some for what is filled from it as a whole, and none for each picture.
    assert scans is not None
    assert scans < 50


def test_filled_catalogue_is_whole_and_its_schema_as_before(hub: Hub) -> None:
    with hub.engine.connect() as connection:
        before = schema(connection)
    assert fill_catalogue(hub.engine, 1_100) == 1_000
    with hub.engine.connect() as connection:
        assert schema(connection) == before
        counts = connection.execute(
            text(
                "select (select count(*) from submissions where status = 'accepted'), (select count(*) from descriptors),"
                " (select count(*) from image_labels where is_current), (select count(*) from verdicts)"
            )
        ).one()
        assert tuple(counts) == (1_000, 1_000, 1_000, 11_000)
        ids = list(connection.execute(text("select id from images order by id limit 50")).scalars())
        find_likenesses(connection, image_ids=ids)
