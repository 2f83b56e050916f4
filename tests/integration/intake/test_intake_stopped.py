"""Intake started with spark-submit, stopped and killed half way, and run again: as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.runtime.spark_submit import ask_to_stop, spark_submit, start
from deep_images_hub.wiring import Hub
from tests.builders import photographs
from tests.integration.intake.crowds import catalogue_of, objects_of, send_crowd, take_in

if TYPE_CHECKING:
    from tests.conftest import HubOf

DEFECTS = "exact_duplicate=0.15,truncated=0.1"
LABELS, PHOTOS_PER_LABEL = 10, 60
PATIENCE_S = 120


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Small photographs, but enough for several chunks in each of two tasks, so that there is a middle."""
    folder = tmp_path_factory.mktemp("photos")
    for label in range(LABELS):
        (folder / f"L{label}").mkdir()
        for number, body in enumerate(photographs(PHOTOS_PER_LABEL, seed=label)):
            (folder / f"L{label}" / f"{number}.jpg").write_bytes(body)
    return str(folder)


@pytest.fixture(scope="module")
def undisturbed(hub_of: HubOf, spark: SparkSession, photos: str) -> Iterator[Hub]:
    with hub_of() as hub:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        assert take_in(hub, spark) == 0
        yield hub


def count(hub: Hub, table_and_condition: str) -> int:
    with hub.engine.begin() as connection:
        return int(connection.execute(text(f"select count(*) from {table_and_condition}")).scalar_one())


def closed_batches(hub: Hub) -> int:
    return count(hub, "batches where status = 'closed'")


def run_until(hub: Hub, output: Path, is_reached: Callable[[], bool], end: Callable[[subprocess.Popen[bytes]], None]) -> int:
    """Start intake with spark-submit, end it when something is reached, and return its exit status."""
    command = spark_submit(hub.settings, "intake", options=("--master", "local[2]"))
    assert hub.settings.database_url
    assert hub.settings.store_url
    command.environment["HUB_DATABASE_URL"] = hub.settings.database_url.get_secret_value()
    command.environment["HUB_STORE_URL"] = hub.settings.store_url
    child = start(command, output=output)
    try:
        began = time.monotonic()
        while not is_reached():
            assert child.poll() is None, output.read_text()
            assert time.monotonic() - began < PATIENCE_S, output.read_text()
            time.sleep(0.03)
        end(child)
        return child.wait(timeout=PATIENCE_S)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def kill(child: subprocess.Popen[bytes]) -> None:
    os.killpg(child.pid, signal.SIGKILL)


def stop(child: subprocess.Popen[bytes]) -> None:
    while child.poll() is None:
        ask_to_stop(child)
        time.sleep(1)


def test_intake_stopped_and_killed_half_way_ends_like_an_undisturbed_run(
    hub_of: HubOf, spark: SparkSession, undisturbed: Hub, photos: str, tmp_path: Path
) -> None:
    with hub_of() as hub:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        batches = count(hub, "batches")

        # Killed while batches are being merged: some are, and decisions on others are left behind.
        output = tmp_path / "intake.log"
        assert run_until(hub, output, lambda: closed_batches(hub) > 0, kill) == -signal.SIGKILL
        closed = closed_batches(hub)
        assert closed < batches

        # Stopped by Ctrl-C: what is merged stays, and nothing is left in staging.
        assert run_until(hub, output, lambda: closed_batches(hub) > closed, stop) == 130, output.read_text()
        assert "Traceback" not in output.read_text()
        assert count(hub, "staged_decisions") == 0

        assert take_in(hub, spark) == 0
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)
