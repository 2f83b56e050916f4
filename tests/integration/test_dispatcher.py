"""Training runs are taken, run as child processes, settled, and never lost. The children here train nothing; all else is real."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.label_proposals import propose_label, refuse_proposal
from deep_images_hub.catalogue.training import TrainingRun, cancel_run, request_run, run_by_id
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.datasets.making_ahead import AHEAD
from deep_images_hub.runtime.dispatcher import Dispatcher
from deep_images_hub.runtime.spark_submit import SparkCommand, start
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub
from tests.builders import HubBuilder, photographs
from tests.integration.catalogue.test_concurrent_counts import run_together

LEASE_S = 2.0

# What the job of a run may do, as a program that gets the run's id.
SUCCEEDS = """
import sys
from deep_images_hub.catalogue.training import finish_run, run_by_id
from deep_images_hub.settings import load_settings
from deep_images_hub.wiring import open_hub
hub = open_hub(load_settings())
with hub.engine.begin() as connection:
    run = run_by_id(connection, int(sys.argv[1]))
    finish_run(connection, run_id=run.id, owner=run.lease_owner, status="succeeded", message="Trained.")
"""
CANNOT_BEGIN = "import sys; print('Session started'); sys.exit('train_baseline: The database does not answer.')"
IS_DEFECT = "import sys; sys.exit(2)"
IS_KILLED = "import os; os.kill(os.getpid(), 9)"
STOPS_WHEN_ASKED = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
print("started", flush=True)
time.sleep(120)
"""
TIDIES_UP_AFTERWARDS = f"""
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
{SUCCEEDS}
time.sleep({LEASE_S})
print("tidied up")
"""
OUTLASTS_ITS_LEASE = f"import time; time.sleep({2 * LEASE_S}){SUCCEEDS}"

# A dispatcher as a process of its own, like scripts/dispatch, whose runs do what the first argument says; the others are its own.
_DISPATCH = """
import functools, sys
from deep_images_hub.cli import dispatch
from tests.integration.test_dispatcher import starting
dispatch.Dispatcher = functools.partial(dispatch.Dispatcher, start_run=starting(sys.argv[1]))
sys.exit(dispatch.main(sys.argv[2:]))
"""


def starting(program: str) -> Callable[[Settings, TrainingRun, Path], "subprocess.Popen[bytes]"]:
    def start_run(settings: Settings, run: TrainingRun, log_file: Path) -> "subprocess.Popen[bytes]":
        return start(SparkCommand((sys.executable, "-c", program, str(run.id)), environment_of(settings)), output=log_file)

    return start_run


def environment_of(settings: Settings) -> dict[str, str]:
    assert settings.database_url
    return os.environ | {
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_HOME": str(settings.home),
        "HUB_LEASE_S": str(settings.lease_s),
    }


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_s": LEASE_S})


@pytest.fixture
def run_id(hub: Hub) -> int:
    """A run in the queue."""
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "with recipe as (insert into recipes (digest, body) values (repeat('a', 64), '{}') returning id)"
                " insert into dataset_versions (recipe_id, name, digest, image_count, train_count, validation_count, test_count,"
                " label_count, size_bytes) select id, 'apples', repeat('b', 64), 3, 1, 1, 1, 2, 1000 from recipe"
            )
        )
    return request_another(hub)


def request_another(hub: Hub) -> int:
    with hub.engine.begin() as connection:
        version_id = connection.execute(text("select id from dataset_versions")).scalar_one()
        return request_run(connection, version_id=version_id, requested_by=None, backbone="vgg16", workers=1).id


def run_of(hub: Hub, run_id: int) -> TrainingRun:
    with hub.engine.begin() as connection:
        return run_by_id(connection, run_id)


def wait_until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_run_that_succeeds_is_finished_by_its_job(hub: Hub, run_id: int) -> None:
    Dispatcher(hub, start_run=starting(SUCCEEDS)).work(until_idle=True)

    run = run_of(hub, run_id)
    assert (run.status, run.message, run.attempt, run.lease_owner) == ("succeeded", "Trained.", 1, None)


def test_job_that_succeeded_is_not_stopped_while_it_tidies_up(hub: Hub, run_id: int) -> None:
    Dispatcher(hub, start_run=starting(TIDIES_UP_AFTERWARDS)).work(until_idle=True)

    assert run_of(hub, run_id).status == "succeeded"
    assert (hub.settings.home / "logs" / f"run-{run_id}-1.log").read_text().endswith("tidied up\n")


def test_run_whose_job_is_a_defect_fails_and_names_its_log(hub: Hub, run_id: int) -> None:
    Dispatcher(hub, start_run=starting(IS_DEFECT)).work(until_idle=True)

    run = run_of(hub, run_id)
    assert (run.status, run.failure, run.not_before) == ("failed", "defect", None)
    assert run.message == f"The job ended with exit status 2. Its log is for the operators of this hub: run-{run_id}-1.log."


def test_run_whose_job_cannot_begin_waits_for_another_try_and_says_why(hub: Hub, run_id: int) -> None:
    Dispatcher(hub, start_run=starting(CANNOT_BEGIN)).work(until_idle=True)

    run = run_of(hub, run_id)
    assert (run.status, run.failure, run.failures) == ("queued", "outside", 1)
    assert run.message == "The database does not answer. Tried again in 30 s: try 2 of 7."
    assert run.not_before is not None


def test_run_whose_job_is_killed_is_tried_again_until_it_was_lost_too_often(hub: Hub, run_id: int) -> None:
    Dispatcher(hub, start_run=starting(IS_KILLED)).work(until_idle=True)

    run = run_of(hub, run_id)
    assert (run.status, run.failure, run.attempt) == ("failed", "lost", 3)
    assert "exit status -9). Given up after 3 tries." in (run.message or "")


def test_run_that_lasts_keeps_its_lease(hub: Hub, run_id: int) -> None:
    Dispatcher(hub, start_run=starting(OUTLASTS_ITS_LEASE)).work(until_idle=True)

    run = run_of(hub, run_id)
    assert (run.status, run.attempt) == ("succeeded", 1)


def test_mail_server_that_is_slow_delays_no_run(hub: Hub, run_id: int) -> None:
    with hub.engine.begin() as connection:
        ann = create_user(connection, email="ann@example.org", display_name="Ann", role="scientist").id
        propose_label(connection, user_id=ann, name="Quince")
        proposal_id = connection.scalar(text("select id from label_proposals"))
        refuse_proposal(connection, proposal_id=proposal_id, user_id=ann, reason="No.")
    is_begun = threading.Event()
    seen: list[bool] = []

    class SlowPost:
        def send(self, message: EmailMessage, *, name: str) -> None:
            seen.append(is_begun.wait(timeout=20))

    def start_run(settings: Settings, run: TrainingRun, log_file: Path) -> "subprocess.Popen[bytes]":
        is_begun.set()
        return starting(SUCCEEDS)(settings, run, log_file)

    dispatcher = Dispatcher(hub, start_run=start_run)
    dispatcher._post = SlowPost()
    dispatcher.work(until_idle=True)

    assert seen == [True]
    assert run_of(hub, run_id).status == "succeeded"


def test_files_of_a_new_dataset_are_made_ahead(hub: Hub) -> None:
    builder = HubBuilder(hub)
    builder.labels({"quince": "Quince"})
    builder.batch("b1", "quince", photographs(3, seed="ahead"))
    builder.version("quince", name="Quinces")
    dispatcher = Dispatcher(hub)

    def stop_when_they_are_there() -> None:
        try:
            wait_until(lambda: len(list(hub.store.list("exports/"))) >= len(AHEAD))
        finally:
            dispatcher.stop()

    run_together(stop_when_they_are_there, dispatcher.work)

    assert len(list(hub.store.list("exports/"))) >= len(AHEAD)


def test_several_runs_are_under_way_at_once_if_wanted(hub: Hub, run_id: int) -> None:
    other_id = request_another(hub)
    together: list[int] = []

    def start_run(settings: Settings, run: TrainingRun, log_file: Path) -> "subprocess.Popen[bytes]":
        together.append(sum(run_of(hub, each).status == "running" for each in (run_id, other_id)))
        return starting(SUCCEEDS)(settings, run, log_file)

    Dispatcher(hub, most_at_once=2, start_run=start_run).work(until_idle=True)

    assert together == [1, 2]
    assert {run_of(hub, each).status for each in (run_id, other_id)} == {"succeeded"}


def test_run_that_is_cancelled_is_stopped(hub: Hub, run_id: int) -> None:
    def start_run(settings: Settings, run: TrainingRun, log_file: Path) -> "subprocess.Popen[bytes]":
        process = starting(STOPS_WHEN_ASKED)(settings, run, log_file)
        wait_until(log_file.read_text)
        with hub.engine.begin() as connection:
            cancel_run(connection, run_id=run.id)
        return process

    began = time.monotonic()
    Dispatcher(hub, start_run=start_run).work(until_idle=True)

    assert run_of(hub, run_id).status == "cancelled"
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_dispatcher_that_is_stopped_returns_its_run(hub: Hub, run_id: int, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _DISPATCH, STOPS_WHEN_ASKED], env=environment_of(hub.settings)) as dispatcher:
        wait_until(lambda: run_of(hub, run_id).status == "running" and children_of(dispatcher.pid))
        child = children_of(dispatcher.pid)[0]
        dispatcher.send_signal(number)
        assert dispatcher.wait() == 130

    assert not Path(f"/proc/{child}").exists()
    assert run_of(hub, run_id).status == "queued"

    Dispatcher(hub, start_run=starting(SUCCEEDS)).work(until_idle=True)
    assert run_of(hub, run_id).status == "succeeded"


def test_run_of_a_dispatcher_that_was_killed_is_taken_again(hub: Hub, run_id: int) -> None:
    command = [sys.executable, "-c", _DISPATCH, STOPS_WHEN_ASKED, "--set", "training_seed=7"]
    with subprocess.Popen(command, env=environment_of(hub.settings)) as dispatcher:
        wait_until(lambda: run_of(hub, run_id).status == "running" and children_of(dispatcher.pid))
        child = children_of(dispatcher.pid)[0]
        # Jobs have the settings of their dispatcher's command line.
        wait_until(lambda: b"HUB_TRAINING_SEED=7" in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"))
        dispatcher.kill()

    wait_until(lambda: not Path(f"/proc/{child}").exists())
    assert run_of(hub, run_id).status == "running", "nobody could say otherwise"

    time.sleep(LEASE_S)
    Dispatcher(hub, start_run=starting(SUCCEEDS)).work(until_idle=True)
    run = run_of(hub, run_id)
    assert (run.status, run.attempt) == ("succeeded", 2)
