"""Trees of label folders are taken in, and later what came to them. How they are walked is in unit/landing/test_adoption.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deep_images_hub.errors import DeniedError, InvalidInputError, UnavailableError
from deep_images_hub.landing import adoption
from deep_images_hub.landing.sending import Sent
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.open import open_store_at
from spark_jobs import adopt as job
from spark_jobs.landing import NotNow, Outcome
from tests.builders import photograph
from tests.integration.intake.crowds import catalogue_of, objects_of, take_in
from tests.integration.landing.places import dying_after, prepare, rows, run_adopt, send_here

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from deep_images_hub.object_store import ObjectStore
    from deep_images_hub.wiring import Hub
    from tests.conftest import HubOf
    from tests.swift_server import SwiftServer

FILES = ("Apple/1.jpg", "Apple/2.jpg", "Apple/3.jpg", "m/pear/é 1.jpg", "Unsorted/1.jpg", "Apple/notes.txt")
MARKERS = "select folder, marker from adopted_folders order by folder"


def put(source: ObjectStore, *keys: str) -> None:
    for key in keys:
        source.create(key, photograph(key))


@pytest.fixture
def source(tmp_path: Path) -> FolderStore:
    source = FolderStore(tmp_path / "tree")
    put(source, *FILES)
    return source


@pytest.fixture(autouse=True)
def two_files_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "MAX_BATCH_FILES", 2)


def test_tree_is_taken_in_and_later_what_has_come_to_it(
    hub: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(hub)
    assert run_adopt(hub, spark, source, licence="by", place="Toronto, Canada") == 0
    left_out = "adopt: 1 pictures in 1 folders were left out, since these stand for no label."
    assert capsys.readouterr().out.splitlines() == [
        f"adopt: {source.url}: 3 new batches with 4 photographs of 2 labels.",
        f"{left_out} Rename a folder, or add the label, then run this again.",
        "          1  Unsorted: no label has this code or name",
        "adopt: also left out: 1 files that are hidden or not named like a picture.",
    ]
    assert rows(hub, MARKERS) == [("Apple", "3.jpg"), ("m/pear", "é 1.jpg")]
    assert take_in(hub, spark) == 0
    taken = (
        "select labels.code, origin, attribution, sum(accepted_count), count(place_id) from batches"
        " join labels on labels.id = label_id group by 1, 2, 3 order by 1"
    )
    assert rows(hub, taken) == [
        ("/m/pear", f"{source.url}/m/pear", "Ada Berg", 1, 1),
        ("apple", f"{source.url}/Apple", "Ada Berg", 3, 2),
    ]

    monkeypatch.setattr(job, "send_on_spark", send_here)
    before = catalogue_of(hub), objects_of(hub)
    assert run_adopt(hub, spark, source) == 0
    assert (catalogue_of(hub), objects_of(hub)) == before

    put(source, "Apple/4.jpg", "Apple/0.jpg")
    run_adopt(hub, spark, source)
    assert rows(hub, MARKERS)[0] == ("Apple", "4.jpg")
    assert catalogue_of(hub)["submissions"].row_count == 5

    capsys.readouterr()
    run_adopt(hub, spark, source, again=True)
    assert "1 new batches with 1 photographs of 1 labels." in (out := capsys.readouterr().out)
    assert "also left out: 5 pictures that the hub has from here, 1 files that are hidden" in out
    assert rows(hub, MARKERS)[0] == ("Apple", "4.jpg")
    sent = "select filename from submissions join batches on batches.id = batch_id where origin like '%Apple' order by filename"
    assert [name for (name,) in rows(hub, sent)] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]


def test_run_that_dies_between_batches_is_gone_on_with(
    hub_of: HubOf, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "send_on_spark", send_here)
    with hub_of() as whole, hub_of() as killed:
        prepare(whole)
        prepare(killed)
        run_adopt(whole, spark, source)
        for batches in (0, 1):
            with monkeypatch.context() as patch:
                patch.setattr(job, "register_batch", dying_after(batches))
                with pytest.raises(UnavailableError, match="killed"):
                    run_adopt(killed, spark, source)
        run_adopt(killed, spark, source)
        assert catalogue_of(killed) == catalogue_of(whole)
        assert objects_of(killed) == objects_of(whole)


def test_folder_beside_pictures_is_taken_in_after_a_run_that_died_before_it(
    hub: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(hub)
    put(source, "Apple/0 pear/pear/1.jpg", "Apple/0 more/pear/1.jpg")
    monkeypatch.setattr(job, "send_on_spark", send_here)
    with monkeypatch.context() as patch:
        patch.setattr(job, "register_batch", dying_after(2))
        with pytest.raises(UnavailableError, match="killed"):
            run_adopt(hub, spark, source)
    run_adopt(hub, spark, source)
    assert rows(hub, MARKERS) == [
        ("Apple", "3.jpg"),
        ("Apple/0 more", ""),
        ("Apple/0 more/pear", "1.jpg"),
        ("Apple/0 pear", ""),
        ("Apple/0 pear/pear", "1.jpg"),
        ("m/pear", "é 1.jpg"),
    ]
    assert catalogue_of(hub)["submissions"].row_count == 6


def test_marker_stays_before_what_could_not_be_sent(
    hub: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(hub)

    def first_of_apples_fails(*given: Any, **how: Any) -> list[Outcome]:
        sent = send_here(*given, **how)
        return [NotNow("away") if isinstance(one, Sent) and one.files == 2 else one for one in sent]

    monkeypatch.setattr(job, "send_on_spark", first_of_apples_fails)
    assert run_adopt(hub, spark, source) == 1
    assert rows(hub, MARKERS) == [("m/pear", "é 1.jpg")]
    assert capsys.readouterr().out.endswith("adopt: some wait for the next run: away\n")

    monkeypatch.setattr(job, "send_on_spark", send_here)
    assert run_adopt(hub, spark, source) == 0
    assert rows(hub, MARKERS) == [("Apple", "3.jpg"), ("m/pear", "é 1.jpg")]
    assert catalogue_of(hub)["submissions"].row_count == 4


def test_picture_that_the_store_denies_is_written_down_and_asked_for_again_when_told_to(
    hub: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(hub)
    monkeypatch.setattr(job, "send_on_spark", send_here)
    refusals = "select folder, name, reason from adoption_refusals order by name"
    read = FolderStore.read

    def deny(*keys: str) -> None:
        def read_but_those(store: FolderStore, key: str) -> bytes:
            if key in keys:
                raise DeniedError("AccessDenied")
            return read(store, key)

        monkeypatch.setattr(FolderStore, "read", read_but_those)

    # A store that denies everything is no reason to pass anything by.
    deny(*FILES)
    assert run_adopt(hub, spark, source) == 1
    assert (rows(hub, MARKERS), rows(hub, refusals)) == ([], [])
    assert "1.jpg' is there, and the store does not give it to the hub." in capsys.readouterr().out

    deny("Apple/1.jpg", "Apple/3.jpg")
    assert run_adopt(hub, spark, source) == 0
    assert rows(hub, MARKERS) == [("Apple", "3.jpg"), ("m/pear", "é 1.jpg")]
    assert rows(hub, refusals) == [("Apple", "1.jpg", "denied_file"), ("Apple", "3.jpg", "denied_file")]
    assert "adopt: 2 pictures could not be had: 2 denied_file; see the table adoption_refusals." in capsys.readouterr().out

    deny("Apple/3.jpg")
    assert run_adopt(hub, spark, source) == 0
    assert len(rows(hub, refusals)) == 2
    assert run_adopt(hub, spark, source, again=True) == 0
    assert rows(hub, refusals) == [("Apple", "3.jpg", "denied_file")]
    names = [name for (name,) in rows(hub, "select filename from submissions order by filename")]
    assert names == ["1.jpg", "2.jpg", "é 1.jpg"]


def test_account_that_may_not_send_is_refused(hub: Hub, spark: SparkSession, source: FolderStore) -> None:
    with pytest.raises(InvalidInputError, match=r"no account 'bo@example.org' that may send"):
        run_adopt(hub, spark, source, supplier="bo@example.org")


def test_prefix_of_a_bucket_is_taken_in(hub_of: HubOf, spark: SparkSession, swift: SwiftServer) -> None:
    bucket = f"s3://{swift.new_bucket()}"
    with hub_of(**swift.settings(f"{bucket}/hub")) as hub:
        prepare(hub)
        source = open_store_at(f"{bucket}/photos", hub.settings)
        put(source, *FILES)
        swift.client().put_object(Bucket=bucket.removeprefix("s3://"), Key="photos/Apple//odd.jpg", Body=b"x")
        assert run_adopt(hub, spark, source) == 0
        objects = objects_of(hub)
        for filename, key, origin in rows(
            hub, "select filename, object_key, origin from submissions join batches on batches.id = batch_id"
        ):
            folder = origin.removeprefix(f"{source.url}/")
            assert objects[key] == photograph(f"{folder}/{filename}")
        put(source, "Apple/4.jpg")
        run_adopt(hub, spark, source)
        assert rows(hub, MARKERS) == [("Apple", "4.jpg"), ("m/pear", "é 1.jpg")]
        assert catalogue_of(hub)["submissions"].row_count == 5
