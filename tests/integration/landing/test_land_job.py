"""Suppliers' manifests become batches: each exactly one, or a refusal with its reason. Real catalogue, real Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deep_images_hub.catalogue.landing import landing_alone
from deep_images_hub.errors import ConflictError, DeniedError, InvalidInputError, UnavailableError
from deep_images_hub.landing import reading
from deep_images_hub.landing.refusals import REFUSALS, Refused
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.open import open_store_at
from spark_jobs import land as job
from tests.builders import HubBuilder, photograph
from tests.integration.intake.crowds import catalogue_of, objects_of, take_in
from tests.integration.landing.places import dying_after, prepare, put_delivery, put_manifest, rows, run_land, send_here

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from deep_images_hub.object_store import ObjectStat, ObjectStore
    from deep_images_hub.wiring import Hub
    from tests.conftest import HubOf
    from tests.swift_server import SwiftServer

STATUSES = "select manifest_key, status, reason from deliveries order by manifest_key"


@pytest.fixture
def source(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "suppliers")


@pytest.fixture
def prepared(hub: Hub) -> Hub:
    prepare(hub)
    return hub


@pytest.fixture
def without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "send_on_spark", send_here)


def put_bad_ones(source: FolderStore) -> dict[str, str]:
    """Put one manifest for each reason, and return the reasons by the manifests' names."""
    put_delivery(source, "not-a-manifest", files=[{"name": "../apples/0 é.jpg"}])
    # It is repeated to the supplier; PostgreSQL takes no NUL.
    put_delivery(source, "unknown-field", **{"na\x00me": "x"})
    put_delivery(source, "unknown-label", label="Apple")
    put_delivery(source, "unknown-supplier", supplier="nobody@example.org")
    put_delivery(source, "missing-file", files=[{"name": "0 é.jpg"}, {"name": "absent.jpg"}])
    put_delivery(source, "size-differs", files=[{"name": "0 é.jpg", "size_bytes": 7}])
    put_delivery(source, "sha256-differs", files=[{"name": "0 é.jpg", "sha256": "0" * 64}])
    put_delivery(source, "unusable-name")
    (source.folder / "unusable-name" / "link.jpg").symlink_to("/etc/passwd")
    put_manifest(source, "manifest-too-large", b" " * 100_000)
    put_manifest(source, "not-json", b"<html>")
    named = {name.replace("_", "-"): name for name in REFUSALS}
    return {name: reason for name, reason in named.items() if name not in ("other-supplier", "file-too-large", "denied-file")} | {
        "not-json": "not_a_manifest",
        "unknown-field": "not_a_manifest",
    }


def test_bad_manifests_are_refused_by_reason_and_good_ones_become_batches_that_intake_takes(
    prepared: Hub,
    spark: SparkSession,
    source: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(reading, "MAX_MANIFEST_BYTES", 50_000)
    refused = put_bad_ones(source)
    put_delivery(source, "apples", place="Toronto, Canada")
    put_delivery(source, "pears", 3, label="/m/pear", licence="cc0")
    source.create("pears/not named.jpg", b"x")
    source.create("not sent yet/1.jpg", b"x")
    source.create("README.txt", b"x")

    assert run_land(prepared, spark, source) == 0

    landed = [("apples.manifest.json", "landed", None), ("pears.manifest.json", "landed", None)]
    expected = [(f"{name}.manifest.json", "refused", reason) for name, reason in refused.items()]
    assert rows(prepared, STATUSES) == sorted([*expected, *landed])
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"land: {source.url}: 2 new batches with 5 photographs, 10 manifests refused, 0 known from before."
    assert "  missing-file.manifest.json: missing_file. The manifest names 'absent.jpg', which is not in its folder." in " ".join(
        out
    )
    assert out[-3:] == [
        "land: 1 objects beside them are named by no manifest, and stay where they are.",
        "land: 1 folders have no manifest yet (NAME/ waits for NAME.manifest.json).",
        "land: 1 other files lie beside the manifests, and were left alone.",
    ]
    # Nothing is left of what was refused, after it was copied too.
    assert {key.split("/")[1].rpartition("-")[0] for key in objects_of(prepared)} == {"land-apples", "land-pears"}

    assert take_in(prepared, spark) == 0
    decided = (
        "select labels.code, accepted_count, origin, attribution from batches join labels on labels.id = label_id order by 1"
    )
    assert rows(prepared, decided) == [
        ("/m/pear", 3, f"{source.url}/pears.manifest.json", None),
        ("apple", 2, f"{source.url}/apples.manifest.json", "Ada Berg"),
    ]

    before = catalogue_of(prepared), objects_of(prepared)
    assert run_land(prepared, spark, source) == 0
    assert "0 new batches with 0 photographs, 0 manifests refused, 12 known from before." in capsys.readouterr().out
    assert (catalogue_of(prepared), objects_of(prepared)) == before


@pytest.mark.usefixtures("without_spark")
def test_refused_manifest_is_tried_again_once_it_changes_or_when_asked(
    prepared: Hub, spark: SparkSession, source: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    said = put_delivery(source, "quinces", label="quince")
    put_delivery(source, "plums", label="plum")
    run_land(prepared, spark, source)
    HubBuilder(prepared).labels({"quince": "Quince"})
    put_manifest(source, "plums", said | {"label": "apple", "files": [{"name": "1 é.jpg"}]})
    capsys.readouterr()

    run_land(prepared, spark, source)
    assert rows(prepared, STATUSES) == [
        ("plums.manifest.json", "landed", None),
        ("quinces.manifest.json", "refused", "unknown_label"),
    ]
    run_land(prepared, spark, source, again=True)
    assert rows(prepared, STATUSES) == [("plums.manifest.json", "landed", None), ("quinces.manifest.json", "landed", None)]

    # The same manifest put there once more is the same batch; another one is another batch.
    before = catalogue_of(prepared)["batches"]
    put_manifest(source, "quinces", said)
    run_land(prepared, spark, source)
    assert catalogue_of(prepared)["batches"] == before
    put_manifest(source, "quinces", said | {"licence": "cc0"})
    run_land(prepared, spark, source)
    assert catalogue_of(prepared)["batches"].row_count == 3


@pytest.mark.usefixtures("without_spark")
def test_refused_manifest_that_is_taken_away_is_forgotten(prepared: Hub, spark: SparkSession, source: FolderStore) -> None:
    put_delivery(source, "plums", label="plum")
    put_delivery(source, "apples", 1)
    run_land(prepared, spark, source)
    for name in ("plums", "apples"):
        source.delete(f"{name}.manifest.json")
    run_land(prepared, spark, source)
    assert rows(prepared, STATUSES) == [("apples.manifest.json", "landed", None)]


@pytest.mark.usefixtures("without_spark")
def test_source_of_one_supplier_takes_nobody_elses(prepared: Hub, spark: SparkSession, source: FolderStore) -> None:
    put_delivery(source, "apples", supplier="Ada@Example.org")
    run_land(prepared, spark, source, supplier="bo@example.org")
    assert rows(prepared, STATUSES) == [("apples.manifest.json", "refused", "other_supplier")]
    run_land(prepared, spark, source, supplier="ADA@example.org", again=True)
    assert rows(prepared, STATUSES) == [("apples.manifest.json", "landed", None)]


@pytest.mark.usefixtures("without_spark")
def test_run_that_dies_between_batches_is_gone_on_with(
    hub_of: HubOf, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        put_delivery(source, name, pictures=1)
    put_delivery(source, "d", label="plum")
    with hub_of() as whole, hub_of() as killed:
        prepare(whole)
        prepare(killed)
        run_land(whole, spark, source)
        for batches in (0, 1):
            with monkeypatch.context() as patch:
                patch.setattr(job, "register_batch", dying_after(batches))
                with pytest.raises(UnavailableError, match="killed"):
                    run_land(killed, spark, source)
        run_land(killed, spark, source)
        assert catalogue_of(killed) == catalogue_of(whole)
        assert objects_of(killed) == objects_of(whole)


@pytest.mark.usefixtures("without_spark")
def test_manifest_that_cannot_be_read_keeps_no_other_waiting(
    prepared: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        put_delivery(source, name, pictures=1)

    def read_all_but_the_first(source: ObjectStore, found: ObjectStat) -> bytes | Refused | None:
        if found.key.startswith("a."):
            raise UnavailableError("Permission denied")
        return reading.read_manifest(source, found)

    monkeypatch.setattr(job, "_WAVE_MANIFESTS", 2)
    with monkeypatch.context() as patch:
        patch.setattr(job, "read_manifest", read_all_but_the_first)
        assert run_land(prepared, spark, source) == 1
    assert "land: 1 manifests wait for the next run: Permission denied" in capsys.readouterr().out
    landed = [(f"{name}.manifest.json", "landed", None) for name in ("a", "b", "c")]
    assert rows(prepared, STATUSES) == landed[1:]
    assert run_land(prepared, spark, source) == 0
    assert rows(prepared, STATUSES) == landed


@pytest.mark.usefixtures("without_spark")
def test_manifest_with_a_photograph_that_the_store_denies_is_refused_alone(
    prepared: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        put_delivery(source, name, pictures=1)
    read = FolderStore.read

    def read_but_one(store: FolderStore, key: str) -> bytes:
        if key.startswith("a/"):
            raise DeniedError("AccessDenied")
        return read(store, key)

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "read", read_but_one)
        assert run_land(prepared, spark, source) == 0
    assert rows(prepared, STATUSES) == [("a.manifest.json", "refused", "denied_file"), ("b.manifest.json", "landed", None)]
    assert run_land(prepared, spark, source, again=True) == 0
    assert {status for _, status, _ in rows(prepared, STATUSES)} == {"landed"}


@pytest.mark.usefixtures("without_spark")
def test_manifests_that_are_all_denied_wait_and_one_alone_is_refused(
    prepared: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        put_delivery(source, name, pictures=1)
    denied = {"a.manifest.json", "b.manifest.json"}

    def read_but_denied(source: ObjectStore, found: ObjectStat) -> bytes | Refused | None:
        if found.key in denied:
            raise DeniedError("AccessDenied")
        return reading.read_manifest(source, found)

    monkeypatch.setattr(job, "read_manifest", read_but_denied)
    assert run_land(prepared, spark, source) == 1
    assert rows(prepared, STATUSES) == []
    denied.remove("b.manifest.json")
    assert run_land(prepared, spark, source) == 0
    assert rows(prepared, STATUSES) == [("a.manifest.json", "refused", "denied_file"), ("b.manifest.json", "landed", None)]


@pytest.mark.usefixtures("without_spark")
def test_manifest_that_is_put_there_again_is_the_same_batch_whatever_geocoders_say(
    prepared: Hub, spark: SparkSession, source: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = put_delivery(source, "apples", place="Toronto, Canada")
    assert run_land(prepared, spark, source) == 0
    before = rows(prepared, "select id, place_id from batches")
    assert before[0][1] is not None

    class KnowsNothing:
        name = "another"

        def find(self, query: str) -> None:
            pass

    monkeypatch.setattr(job, "open_geocoder", lambda _: KnowsNothing())
    put_manifest(source, "apples", said)
    assert run_land(prepared, spark, source) == 0
    assert rows(prepared, "select id, place_id from batches") == before


@pytest.mark.usefixtures("without_spark")
def test_two_runs_over_one_source_at_once_are_refused(prepared: Hub, spark: SparkSession, source: FolderStore) -> None:
    put_delivery(source, "apples")
    with landing_alone(prepared.engine, source.url), pytest.raises(ConflictError, match="Another run is taking from"):
        run_land(prepared, spark, source)
    assert run_land(prepared, spark, source) == 0


def test_places_of_the_hub_itself_are_refused(prepared: Hub, spark: SparkSession) -> None:
    for own in ("", "/landing", "/images/ab", "/.."):
        path = Path(prepared.store.url.removeprefix("file://") + own).resolve()
        path.mkdir(parents=True, exist_ok=True)
        with pytest.raises(InvalidInputError, match="keeps its own objects"):
            run_land(prepared, spark, FolderStore(path))


def test_batches_land_from_a_bucket_in_the_hubs_own_bucket(hub_of: HubOf, spark: SparkSession, swift: SwiftServer) -> None:
    bucket = f"s3://{swift.new_bucket()}"
    with hub_of(**swift.settings(f"{bucket}/hub")) as hub:
        prepare(hub)
        source = open_store_at(f"{bucket}/incoming", hub.settings)
        said = put_delivery(source, "apples")
        put_delivery(source, "pears", files=[*said["files"], {"name": "absent.jpg"}])
        assert run_land(hub, spark, source) == 0
        assert rows(hub, STATUSES) == [
            ("apples.manifest.json", "landed", None),
            ("pears.manifest.json", "refused", "missing_file"),
        ]
        objects = objects_of(hub)
        for filename, key in rows(hub, "select filename, object_key from submissions"):
            assert objects[key] == photograph(f"apples/{filename[0]}")
        assert len(objects) == 3
        before = catalogue_of(hub)
        assert run_land(hub, spark, source) == 0
        assert catalogue_of(hub) == before
