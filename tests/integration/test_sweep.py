"""The job that finds what nothing names, and what is named and not there."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.object_store.keys import manifest_key, picture_key, thumbnail_key
from deep_images_hub.wiring import Hub
from spark_jobs.sweep import sweep
from tests.builders import HubBuilder, photographs

if TYPE_CHECKING:
    from tests.conftest import HubOf

DAY_S = 24 * 3600
SHA256 = "ab" * 32


@pytest.fixture
def hub(hub_of: HubOf) -> Iterator[Hub]:
    with hub_of() as opened:
        builder = HubBuilder(opened)
        builder.labels({"apple": "Apple"})
        builder.batch("b1", "apple", photographs(3, seed=1))
        opened.store.create(manifest_key("b1"), b"{}")
        yield opened


def path_of(hub: Hub, key: str) -> Path:
    return Path(hub.store.url.removeprefix("file://")) / key


def swept(hub: Hub, spark: SparkSession, *, delete: bool = False, older_than_hours: float = 24) -> int:
    return sweep(hub, Namespace(delete=delete, older_than_hours=older_than_hours), spark)


def test_hub_whose_objects_are_all_named_is_left_as_it_is(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list(hub.store.list())
    status = swept(hub, spark, delete=True, older_than_hours=0)
    said = capsys.readouterr().out
    assert (status, list(hub.store.list())) == (0, before), said
    assert "sweep: images/ 3 objects, 0 deleted (0.0 MB), 0 not named yet, 0 missing." in said


def test_old_orphans_are_found_and_deleted_only_when_asked(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    old, young = picture_key(SHA256), thumbnail_key(SHA256)
    for key in (old, young):
        hub.store.create(key, b"left behind")
    long_ago = time.time() - 2 * DAY_S
    os.utime(path_of(hub, old), (long_ago, long_ago))

    assert swept(hub, spark) == 0
    said = capsys.readouterr().out
    assert f"  not named: {old}\n" in said
    assert "sweep: thumbnails/ 4 objects, 0 not named (0.0 MB), 1 not named yet, 0 missing." in said
    assert "run it again with --delete" in said
    assert hub.store.read(old)

    assert swept(hub, spark, delete=True) == 0
    assert f"  deleted: {old}\n" in capsys.readouterr().out
    assert {old, young} & {found.key for found in hub.store.list()} == {young}


def test_picture_of_a_decision_that_waits_to_be_merged_is_left(hub: Hub, spark: SparkSession) -> None:
    keys = {"picture": picture_key(SHA256), "thumbnail": thumbnail_key(SHA256)}
    for key in keys.values():
        hub.store.create(key, b"of a decision that was put aside")
    staged = (
        "insert into staged_decisions (attempt, batch_id, submission_id, status, verdicts, sha256, picture_key, thumbnail_key)"
        " values (-1, 1, :submission_id, 'accepted', '[]', :sha256, :picture, :thumbnail)"
    )
    before = list(hub.store.list())
    with hub.engine.begin() as connection:
        # Two of the same bytes, and one whose picture the hub has.
        for submission_id in (1, 2):
            connection.execute(text(staged), {"submission_id": submission_id, "sha256": SHA256, **keys})
        had = connection.execute(text("select sha256, picture_key as picture, thumbnail_key as thumbnail from images limit 1"))
        connection.execute(text(staged), {"submission_id": 3, **had.mappings().one()})
    assert swept(hub, spark, delete=True, older_than_hours=0) == 0
    assert list(hub.store.list()) == before


def test_object_that_is_gone_is_named_and_the_status_says_so(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    (gone, *_) = [found.key for found in hub.store.list("images/")]
    hub.store.delete(gone)
    assert swept(hub, spark, delete=True, older_than_hours=0) == 1
    said = capsys.readouterr().out
    assert f"  missing: {gone}\n" in said
    assert "Restore them" in said
