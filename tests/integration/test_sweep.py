"""The job that finds what nothing names, and what is named and not there."""

from __future__ import annotations

import hashlib
import io
import os
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import Connection, text

from deep_images_hub.batches.decide import Decision, decide
from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.catalogue.batches import create_batch
from deep_images_hub.catalogue.intake import intake_attempt
from deep_images_hub.catalogue.object_keys import object_keys, still_unnamed
from deep_images_hub.catalogue.training import cancel_run, request_run
from deep_images_hub.catalogue.uploads import add_file, start_upload, upload_by_key
from deep_images_hub.datasets.download import open_export
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.exports.identity import etag_of
from deep_images_hub.datasets.keeping import open_kept_files
from deep_images_hub.images.examine import limits_from_settings
from deep_images_hub.object_store.keys import checkpoint_key, landing_key, manifest_key, picture_key, thumbnail_key
from deep_images_hub.uploads.receiving import Receiver
from deep_images_hub.uploads.upload import NewFile, NewUpload, UploadLimits
from deep_images_hub.wiring import Hub
from spark_jobs import deciding
from spark_jobs import sweep as job
from tests.builders import NOON, HubBuilder, photograph, photographs

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


def pending_batch(hub: Hub, key: str, body: bytes) -> int:
    """Send a batch of one photograph, and return its id."""
    sent = ManifestObject(object_key=landing_key(key, 0, ".jpg"), filename="1.jpg", size_bytes=len(body))
    hub.store.create(sent.object_key, body)
    manifest = Manifest(
        batch_key=key,
        supplier_email="ada@example.org",
        supplier_name="Ada",
        label_code="apple",
        licence="cc0",
        submitted_at=NOON,
        objects=(sent,),
    )
    hub.store.create(manifest.key, manifest.to_json())
    with hub.engine.begin() as connection:
        return create_batch(connection, manifest=manifest)


def swept(hub: Hub, spark: SparkSession, *, delete: bool = False, older_than_hours: float = 24) -> int:
    return job.sweep(hub, Namespace(delete=delete, older_than_hours=older_than_hours), spark)


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


@pytest.mark.parametrize("sweep_is_first", [True, False])
def test_orphan_that_intake_takes_up_at_that_moment_is_kept(
    hub: Hub, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, sweep_is_first: bool
) -> None:
    body = photograph("of a run that died")
    orphans = [key(hashlib.sha256(body).hexdigest()) for key in (picture_key, thumbnail_key)]
    for key in orphans:
        hub.store.create(key, b"as the dead run left it")
    batch_id = pending_batch(hub, "b2", body)

    def take_up() -> None:
        decided = deciding._decided([(batch_id, 0, 0)], hub.engine, hub.store, hub.settings, attempt)
        deciding._keep(decided, hub.engine, hub.store, attempt)

    def decide_and_sweep(*given: Any, **how: Any) -> list[Decision]:
        decisions = decide(*given, **how)
        assert swept(hub, spark, delete=True, older_than_hours=0) == 0
        assert not set(orphans) & {found.key for found in hub.store.list()}
        return decisions

    def look_after_intake(*given: Any, **how: Any) -> list[str]:
        monkeypatch.setattr(job, "still_unnamed", still_unnamed)
        take_up()
        return still_unnamed(*given, **how)

    with intake_attempt(hub.engine) as attempt:
        if sweep_is_first:
            monkeypatch.setattr(deciding, "decide", decide_and_sweep)
            take_up()
        else:
            monkeypatch.setattr(job, "still_unnamed", look_after_intake)
        assert swept(hub, spark, delete=True, older_than_hours=0) == 0
        assert {found.key for found in hub.store.list()} >= set(orphans)


def test_object_that_is_gone_is_named_and_the_status_says_so(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    (gone, *_) = [found.key for found in hub.store.list("images/")]
    hub.store.delete(gone)
    assert swept(hub, spark, delete=True, older_than_hours=0) == 1
    said = capsys.readouterr().out
    assert f"  missing: {gone}\n" in said
    assert "Restore them" in said


def test_upload_that_was_given_up_is_forgotten_with_its_objects_and_one_that_goes_on_is_kept(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    builder = HubBuilder(hub)
    supplier, label_id = builder.user("supplier"), builder.label("apple").id
    receiver = Receiver(hub.engine, hub.store, limits_from_settings(hub.settings), ())
    keys = []
    for _ in range(2):
        with hub.engine.begin() as connection:
            key = start_upload(connection, supplier_id=supplier.id, new=NewUpload(label_id=label_id, licence="by"))
            upload = upload_by_key(connection, key=key, supplier_id=supplier.id)
            limits = UploadLimits(10**6, 9, 9)
            for name, size_bytes in (("part.jpg", 5000), ("whole.jpg", 100)):
                add_file(connection, upload=upload, new=NewFile(name, size_bytes), limits=limits)
        for position in range(2):
            receiver.receive(supplier, key, position, offset=0, read=io.BytesIO(bytes(100)).read)
        keys.append(key)
    long_ago = time.time() - 9 * DAY_S
    for found in hub.store.list():
        os.utime(path_of(hub, found.key), (long_ago, long_ago))
    with hub.engine.begin() as connection:
        connection.execute(text("update uploads set changed_at = now() - interval '8 days' where key = :key"), {"key": keys[0]})

    assert swept(hub, spark) == 0
    assert "sweep: 1 uploads given up." in capsys.readouterr().out
    assert swept(hub, spark, delete=True) == 0

    assert "1 uploads given up, and now forgotten" in capsys.readouterr().out
    left = [found.key for found in hub.store.list() if "send-Apple" in found.key]
    assert len(left) == 2
    assert all(keys[1] in key for key in left)


def test_part_that_was_put_together_while_sweeping_is_not_missed(
    hub: Hub, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    builder = HubBuilder(hub)
    supplier = builder.user("supplier")
    receiver = Receiver(hub.engine, hub.store, limits_from_settings(hub.settings), ())
    with hub.engine.begin() as connection:
        new = NewUpload(label_id=builder.label("apple").id, licence="by")
        key = start_upload(connection, supplier_id=supplier.id, new=new)
        upload = upload_by_key(connection, key=key, supplier_id=supplier.id)
        add_file(connection, upload=upload, new=NewFile("1.jpg", 100), limits=UploadLimits(10**6, 9, 9))
    receiver.receive(supplier, key, 0, offset=0, read=io.BytesIO(bytes(50)).read)

    def land_behind_the_names(connection: Connection, *, area: str) -> Iterator[str]:
        named = list(object_keys(connection, area=area))
        if area == "uploads/":
            assert len(named) == 1
            receiver.receive(supplier, key, 0, offset=50, read=io.BytesIO(bytes(50)).read)
        yield from named

    monkeypatch.setattr(job, "object_keys", land_behind_the_names)
    assert swept(hub, spark, delete=True) == 0
    assert "missing:" not in capsys.readouterr().out


def test_checkpoints_of_runs_that_have_ended_are_removed_and_others_are_kept(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    version = HubBuilder(hub).version("apple")
    with hub.engine.begin() as connection:
        waiting, over = (
            request_run(connection, version_id=version.id, requested_by=None, backbone="vgg16", workers=1).id for _ in range(2)
        )
        cancel_run(connection, run_id=over)
    for run_id in (waiting, over, 2**40):
        for stage in ("train", "fine_tune"):
            hub.store.create(checkpoint_key(run_id, stage), b"weights")

    assert swept(hub, spark) == 0
    assert "checkpoints of 2 training runs that have ended." in capsys.readouterr().out
    assert len(list(hub.store.list("checkpoints/"))) == 6
    swept(hub, spark, delete=True)

    assert [found.key for found in hub.store.list("checkpoints/")] == [
        checkpoint_key(waiting, stage) for stage in ("fine_tune", "train")
    ]


def test_kept_files_of_downloads_are_no_orphans_and_none_is_missed(
    hub: Hub, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    version = HubBuilder(hub).version("apple")
    kept = open_kept_files(hub.engine, hub.store, hub.settings)
    for name in ("webdataset", "tfrecord"):
        export = open_export(version, engine=hub.engine, store=hub.store)
        file = FORMATS[name].files(export)[0]
        keeping = kept.keeping(file, etag=etag_of(export, FORMATS[name], file), version=version, known=None)
        assert keeping.begin(file.size_bytes())
        for block in file.blocks():
            keeping.add(block)
        keeping.end()
    lost, there = [found.key for found in hub.store.list("exports/")]
    hub.store.delete(lost)
    left = "exports/ab/abc/left"
    hub.store.create(left, b"nobody's")

    assert swept(hub, spark, delete=True, older_than_hours=0) == 0

    assert f"  deleted: {left}\n" in capsys.readouterr().out
    assert [found.key for found in hub.store.list("exports/")] == [there]
    without_room = replace(hub, settings=hub.settings.model_copy(update={"kept_downloads_gb": 0.0}))
    assert swept(without_room, spark, delete=True) == 0
    assert list(hub.store.list("exports/")) == []
