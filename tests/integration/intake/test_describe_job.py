"""Pictures from before the hub looked for near-duplicates: described and compared later, by the real job."""

from __future__ import annotations

import io
from argparse import Namespace
from typing import TYPE_CHECKING

from PIL import Image
from sqlalchemy import text

from spark_jobs.describe import describe_pictures
from tests.builders import HubBuilder, photograph, photographs
from tests.integration.intake.crowds import catalogue_of

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import SparkSession

    from deep_images_hub.wiring import Hub


def recompressed(body: bytes) -> bytes:
    copy = io.BytesIO()
    Image.open(io.BytesIO(body)).save(copy, "JPEG", quality=60)
    return copy.getvalue()


def test_pictures_from_before_are_described_and_compared_once(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    builder = HubBuilder(hub)
    builder.labels({"apple": "Apple"})
    original = photograph("sent twice", size=(320, 288))
    builder.batch("b1", "apple", [original, *photographs(3, seed=1)])
    builder.batch("b2", "apple", [recompressed(original), *photographs(2, seed=2)])
    with hub.engine.begin() as connection:
        connection.execute(text("delete from descriptors"))
        damaged, gone = connection.execute(text("select picture_key from images order by id desc limit 2")).scalars()
    kept = {key: hub.store.read(key) for key in (damaged, gone)}
    hub.store.replace(damaged, b"no picture any more")
    hub.store.delete(gone)

    assert describe_pictures(hub, Namespace(), spark) == 1
    said = capsys.readouterr().out
    assert "describe: 5 pictures described; 5 compared, 1 of them near-duplicates." in said
    assert "describe: 2 stored pictures are missing or damaged." in said
    with hub.engine.connect() as connection:
        grouped = connection.execute(text("select group_id, count(*) from duplicate_groups group by 1")).all()
    assert [count for _, count in grouped] == [2]

    for key, body in kept.items():
        hub.store.replace(key, body)
    assert describe_pictures(hub, Namespace(), spark) == 0
    assert "describe: 2 pictures described; 2 compared, 0 of them near-duplicates." in capsys.readouterr().out
    before = catalogue_of(hub)
    assert describe_pictures(hub, Namespace(), spark) == 0
    assert catalogue_of(hub) == before
