"""Intake started with spark-submit, and what it works with, stopped or killed half way; run again: as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.runtime.spark_submit import ask_to_stop, spark_submit, start
from deep_images_hub.settings import load_settings
from deep_images_hub.wiring import Hub, open_hub, resolve
from tests.builders import write_photographs
from tests.integration.intake.crowds import catalogue_of, objects_of, send_crowd, take_in
from tests.integration.intake.moments import moment

if TYPE_CHECKING:
    from tests.conftest import HubOf

DEFECTS = "exact_duplicate=0.15,truncated=0.1"
LABELS, PHOTOS_PER_LABEL = 10, 60
PATIENCE_S = 600
# Faults strike while there is still much to do.
MOST_CLOSED, MAX_PAUSE_MS = 4, 150

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Small photographs, but enough for several chunks in each of two tasks, so that there is a middle."""
    folder = tmp_path_factory.mktemp("photos")
    write_photographs(folder, [f"L{label}" for label in range(LABELS)], per_label=PHOTOS_PER_LABEL)
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


def some_more_closed(hub: Hub, fault: str) -> Callable[[], bool]:
    """Return what tells whether a run has closed as many more batches as the seed says, and a moment has gone by."""
    enough = closed_batches(hub) + moment(fault, MOST_CLOSED)
    pause_s = moment(f"{fault}, pause", MAX_PAUSE_MS) / 1000

    def is_reached() -> bool:
        if closed_batches(hub) <= enough:
            return False
        time.sleep(pause_s)
        return True

    return is_reached


def run_until(
    hub: Hub,
    output: Path,
    is_reached: Callable[[], bool],
    end: Callable[[subprocess.Popen[bytes]], None],
    job: tuple[str, ...] = ("intake",),
) -> int:
    """Start a job, by name and arguments, with spark-submit, end it when something is reached, and return its exit status."""
    command = spark_submit(hub.settings, job[0], job[1:], options=("--master", "local[2,4]"))
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


def kill_a_python_worker(child: subprocess.Popen[bytes]) -> None:
    """Kill one of the processes that decide, as the kernel does when memory runs out."""
    parents = {int(status.parent.name): _parent(status) for status in Path("/proc").glob("[0-9]*/status")}
    daemons = {pid for pid, parent in parents.items() if b"pyspark.daemon" in _command_line(pid) and parent == child.pid}
    workers = [pid for pid, parent in parents.items() if parent in daemons]
    assert workers, "the JVM's Python daemon has no worker"
    os.kill(workers[0], signal.SIGKILL)


def _parent(status: Path) -> int:
    try:
        return int(status.read_text().partition("PPid:")[2].split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_intake_stopped_and_killed_half_way_ends_like_an_undisturbed_run(
    hub_of: HubOf, spark: SparkSession, undisturbed: Hub, photos: str, tmp_path: Path
) -> None:
    with hub_of() as hub:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        batches = count(hub, "batches")

        # Killed while batches are being merged: some are, and decisions on others are left behind.
        output = tmp_path / "intake.log"
        assert run_until(hub, output, some_more_closed(hub, "driver killed"), kill) == -signal.SIGKILL
        closed = closed_batches(hub)
        assert closed < batches

        # Stopped by Ctrl-C: what is merged stays, and nothing is left in staging.
        assert run_until(hub, output, some_more_closed(hub, "driver stopped"), stop) == 130, output.read_text()
        assert "Traceback" not in output.read_text()
        assert count(hub, "staged_decisions") == 0

        assert take_in(hub, spark) == 0
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)


def test_python_worker_killed_half_way_is_replaced(
    hub_of: HubOf, spark: SparkSession, undisturbed: Hub, photos: str, tmp_path: Path
) -> None:
    with hub_of() as hub:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)
        output = tmp_path / "intake.log"
        assert run_until(hub, output, some_more_closed(hub, "worker killed"), kill_a_python_worker) == 0, output.read_text()
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)


def test_database_killed_half_way_ends_intake_with_a_message_and_loses_nothing(
    spark: SparkSession, undisturbed: Hub, photos: str, tmp_path: Path
) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    settings = load_settings({"home": tmp_path / "home", "database_url": SecretStr(server.start())})
    migrate(resolve(settings))
    hub = open_hub(settings)
    try:
        send_crowd(hub, spark, photos=photos, defects=DEFECTS)

        def kill_the_database(_child: subprocess.Popen[bytes]) -> None:
            (pid_file,) = (tmp_path / "postgres").rglob("postmaster.pid")
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)

        output = tmp_path / "intake.log"
        assert run_until(hub, output, some_more_closed(hub, "database killed"), kill_the_database) == 1, output.read_text()
        assert "Traceback" not in output.read_text()

        hub.engine.dispose()
        assert EmbeddedPostgres(tmp_path / "postgres").start() == settings.database_url.get_secret_value()
        assert take_in(hub, spark) == 0
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert objects_of(hub) == objects_of(undisturbed)
    finally:
        hub.engine.dispose()
        server.stop()
