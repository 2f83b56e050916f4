"""Intake with a store that fails, lies, dies or is full: what that touches stays pending; nothing is rejected for it, or lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.errors import UnavailableError
from deep_images_hub.object_store.open import open_store
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.settings import load_settings
from deep_images_hub.wiring import Hub, open_hub, resolve
from tests.builders import write_photographs
from tests.faulty_proxy import LIES, NOTICED, FaultyProxy
from tests.integration.intake.crowds import catalogue_of, objects_of, send_crowd, take_in
from tests.integration.intake.moments import FAULT_SEED, moment
from tests.swift_server import SwiftServer

if TYPE_CHECKING:
    from tests.conftest import HubOf

# No duplicates: which of two copies is the original depends on which batch comes first, and a store that fails changes that.
DEFECTS = "truncated=0.1,html=0.1,dark=0.1"
LABELS, PHOTOS_PER_LABEL = 3, 14

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("photos")
    write_photographs(folder, [f"L{label}" for label in range(LABELS)], per_label=PHOTOS_PER_LABEL, seed="store/")
    return str(folder)


@pytest.fixture(scope="module")
def undisturbed(hub_of: HubOf, spark: SparkSession, photos: str) -> Iterator[Hub]:
    with hub_of() as hub:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        assert take_in(hub, spark) == 0
        yield hub


def by_way_of(hub: Hub, endpoint_url: str, timeout_s: float = 60.0) -> Hub:
    """Return the same hub with another address for its store."""
    return replace(hub, settings=hub.settings.model_copy(update={"s3_endpoint_url": endpoint_url, "s3_timeout_s": timeout_s}))


def secret(settings: dict[str, str]) -> dict[str, object]:
    return {name: SecretStr(value) if "key" in name else value for name, value in settings.items()}


def waiting(hub: Hub) -> set[str]:
    """Return the keys of the photographs that nobody has decided on: neither merged nor put aside."""
    with hub.engine.begin() as connection:
        keys = connection.execute(
            text(
                "select object_key from submissions where status = 'pending'"
                " and id not in (select submission_id from staged_decisions)"
            )
        )
        return set(keys.scalars())


def test_store_that_fails_and_lies_delays_photographs_and_rejects_none(
    hub_of: HubOf, spark: SparkSession, swift: SwiftServer, undisturbed: Hub, photos: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = swift.new_bucket()
    with hub_of(**secret(swift.settings(f"s3://{bucket}"))) as hub, FaultyProxy(swift.endpoint_url, seed=FAULT_SEED) as proxy:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        # An honest answer that takes so long, as on a busy machine, is one more fault.
        assert take_in(by_way_of(hub, proxy.endpoint_url, timeout_s=2.0), spark) == 1
        left = waiting(hub)
        assert left, "no lie was told with this seed"
        assert f"intake: {len(left)} photographs stay pending" in capsys.readouterr().out
        assert set(proxy.met) & set(NOTICED)
        assert set(proxy.met) & set(LIES)

        # The next run asks for those alone.
        proxy.is_at_fault = False
        proxy.asked.clear()
        assert take_in(by_way_of(hub, proxy.endpoint_url), spark) == 0
        asked = {unquote(path).removeprefix(f"/{bucket}/") for method, path in proxy.asked if method == "GET"}
        assert asked == left
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)


def test_object_store_killed_half_way_loses_nothing(
    hub_of: HubOf, spark: SparkSession, undisturbed: Hub, photos: str, tmp_path: Path
) -> None:
    with SwiftServer(tmp_path) as mortal:
        settings = secret(mortal.settings(f"s3://{mortal.new_bucket()}"))
        with hub_of(**settings) as hub:
            send_crowd(hub, spark, photos=photos, defects=DEFECTS)
            with FaultyProxy(mortal.endpoint_url, seed=FAULT_SEED, fault_rate=0, lie_rate=0) as proxy:
                proxy.after(moment("store killed", LABELS * PHOTOS_PER_LABEL), mortal.kill)
                assert take_in(by_way_of(hub, proxy.endpoint_url), spark) == 1
            assert waiting(hub)
            with SwiftServer(tmp_path) as again:
                risen = by_way_of(hub, again.endpoint_url)
                assert take_in(risen, spark) == 0
                assert catalogue_of(hub) == catalogue_of(undisturbed)
                # Swift lists what it was killed at only after a round of a daemon that is not run here: each object is asked for.
                store, expected = open_store(risen.settings), objects_of(undisturbed)
                assert {key: store.read(key) for key in expected} == expected
                assert {stat.key for stat in store.list()} <= set(expected)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of our own, which may be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a disk that may be filled has to be mounted, which this account may not")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, but_bytes: int) -> Path:
    """Leave only so much room on a disk; return the file to remove in the end."""
    filler = disk / "filler"
    # Without a buffer: what it still holds when the disk is full would be written, and fail, once more at the end.
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    os.truncate(filler, max(0, filler.stat().st_size - but_bytes))
    return filler


def test_full_disk_of_the_store_is_named_and_loses_nothing(
    hub_of: HubOf, spark: SparkSession, undisturbed: Hub, photos: str, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub_of(store_url=f"file://{disk}/objects") as hub:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        filler = fill(disk, but_bytes=moment("store full", 100_000, first=20_000))
        assert take_in(hub, spark) == 1
        assert "No space left on device. There is no room left: free some" in capsys.readouterr().out

        filler.unlink()
        assert take_in(hub, spark) == 0
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)


def test_full_disk_of_the_database_is_named_and_loses_nothing(
    spark: SparkSession, undisturbed: Hub, photos: str, disk: Path, tmp_path: Path
) -> None:
    server = EmbeddedPostgres(disk / "postgres")
    settings = load_settings({"home": tmp_path / "home", "database_url": SecretStr(server.start())})
    migrate(resolve(settings))
    hub = open_hub(settings)
    try:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        filler = fill(disk, but_bytes=0)
        with pytest.raises(UnavailableError, match=r"the database's disk is full. Make room there|cannot be reached"):
            take_in(hub, spark)

        filler.unlink()
        hub.engine.dispose()
        # It may have stopped, for want of room for its log.
        assert EmbeddedPostgres(disk / "postgres").start() == settings.database_url.get_secret_value()
        assert take_in(hub, spark) == 0
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)
    finally:
        hub.engine.dispose()
        server.stop()
