"""Take training runs from the queue and have Spark train them, one child process a run.

A run belongs to the dispatcher by a lease, which it renews while the child works. However the dispatcher ends, no run is lost:
stopped, it stops its children and puts their runs back; killed, its children end with it, and the lease runs out, so that
another takes the run. A run that is cancelled meanwhile is stopped. One that fails for reasons outside of it is tried again,
later.

Beside the runs it tells people what they wait for, and makes the files of new datasets ahead.
"""

import os
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deep_images_hub.catalogue.training import TrainingRun, fail_run, renew_lease, return_run, run_by_id, take_run
from deep_images_hub.cli.boundary import EXIT_ERROR, EXIT_STOPPED
from deep_images_hub.datasets.keeping import open_kept_files
from deep_images_hub.datasets.making_ahead import MakingAhead
from deep_images_hub.errors import ConflictError, HubError, UnavailableError
from deep_images_hub.logs import open_log
from deep_images_hub.mail import open_post
from deep_images_hub.runtime.spark_submit import ask_to_stop, end_now, spark_submit, start
from deep_images_hub.settings import Settings
from deep_images_hub.telling import send_next_notice, settle
from deep_images_hub.waiting_runs import start_waiting_runs
from deep_images_hub.wiring import Hub

JOB = "train_baseline"

_POLL_S = 1.0
_STOP_GRACE_S = 30.0
_ASK_AGAIN_S = 1.0
# How often it is looked whether what people wanted is there, and whether there is a new dataset.
_LOOK_S = 30.0
# Of 0 to 19: others come first.
_NICENESS = 10
_MESSAGE_LENGTH = 500
_LOG_TAIL_BYTES = 4_000
# A shell says so, plus the number of the signal, of a program that was killed.
_KILLED = 128

StartRun = Callable[[Settings, TrainingRun, Path], "subprocess.Popen[bytes]"]

log = open_log(__name__)


@dataclass(frozen=True)
class _Child:
    run: TrainingRun
    process: "subprocess.Popen[bytes]"
    log_file: Path


class _Errand:
    """What is done now and then beside the runs, in a thread of its own: nothing that takes long must cost a run its lease."""

    def __init__(self, name: str, work: Callable[[], bool], *, is_nice: bool = False) -> None:
        """Name some work, which returns whether there may be more to do at once."""
        self._work = work
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=_be_nice if is_nice else None)
        self._done: Future[bool] | None = None
        self._not_before = 0.0

    def see_to(self) -> None:
        """Begin when it is time. Raises the work's defects."""
        if self._done is not None and self._done.done():
            self._not_before = time.monotonic() + (0.0 if self._done.result() else _LOOK_S)
            self._done = None
        if self._done is None and time.monotonic() >= self._not_before:
            self._done = self._thread.submit(self._work)

    def end(self) -> None:
        """Wait until what was begun is done."""
        self._thread.shutdown()


def _be_nice() -> None:
    """Let other processes come before this thread, where the system knows of threads."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def start_with_spark(settings: Settings, run: TrainingRun, log_file: Path) -> "subprocess.Popen[bytes]":
    """Start the job of a run. What it says goes into a file of its own."""
    return start(spark_submit(settings, JOB, ["--run", str(run.id)]), output=log_file)


class Dispatcher:
    """Runs training runs, several at once if wanted, once. Call its methods from the main thread."""

    def __init__(self, hub: Hub, *, most_at_once: int = 1, start_run: StartRun = start_with_spark) -> None:
        """Make a dispatcher with a name that no other process has, now or later.

        Args:
            hub: its settings say how long a lease is, and how Spark is started.
            most_at_once: runs under way at the same time.
            start_run: starts the child process of a run, whose output goes to a file.

        Raises:
            SettingsError: smtp_url is not an address of a mail server, or mail_from none of a sender.
        """
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.is_stopping = False
        self._hub = hub
        self._most_at_once = most_at_once
        self._start_run = start_run
        self._children: list[_Child] = []
        self._renewed = time.monotonic()
        self._post = open_post(hub.settings)
        self._is_over = False
        self._making_ahead = MakingAhead(open_kept_files(hub.engine, hub.store, hub.settings), should_stop=self._ends)
        self._errands = (_Errand("telling", self._tell), _Errand("keeping", self._make_ahead, is_nice=True))
        self._log = log.bind(owner=self.owner)

    def work(self, *, until_idle: bool = False) -> None:
        """Take and run what is queued, until `stop` is called or nothing is left. Runs under way then go back into the queue.

        A catalogue that does not answer for a while is waited for.
        """
        try:
            while not self.is_stopping:
                try:
                    self._step()
                    if until_idle and not self._children:
                        return
                except UnavailableError as error:
                    self._log.warning("catalogue_unavailable", message=str(error))
                time.sleep(_POLL_S)
        finally:
            self._is_over = True
            self._return_all()
            for errand in self._errands:
                errand.end()

    def stop(self) -> None:
        """Let `work` end soon. For signal handlers: an exception could fall between taking a run and knowing its child."""
        self.is_stopping = True

    def _step(self) -> None:
        """Look after the children, and take another run when there is room."""
        for child in [child for child in self._children if child.process.poll() is not None]:
            self._settle(child)
            self._children.remove(child)
        if time.monotonic() - self._renewed > self._hub.settings.lease_s / 3:
            self._renew_leases()
        for errand in self._errands:
            errand.see_to()
        while len(self._children) < self._most_at_once:
            with self._hub.engine.begin() as connection:
                run = take_run(connection, owner=self.owner, lease_s=self._hub.settings.lease_s)
            if run is None:
                return
            self._begin(run)

    def _begin(self, run: TrainingRun) -> None:
        log_file = self._hub.settings.home / "logs" / f"run-{run.id}-{run.attempt}.log"
        log_file.parent.mkdir(parents=True, exist_ok=True)
        process = self._start_run(self._hub.settings, run, log_file)
        self._children.append(_Child(run=run, process=process, log_file=log_file))
        self._log.info("run_started", run_id=run.id, attempt=run.attempt, pid=process.pid, log_file=log_file)

    def _tell(self) -> bool:
        """Close demands that are met, start runs that waited for pictures, and send one e-mail.

        Returns whether there was one to send.
        """
        try:
            settle(self._hub.engine)
            if started := start_waiting_runs(self._hub.engine):
                self._log.info("waiting_runs_started", runs=started)
            return send_next_notice(self._hub.engine, self._post, self._hub.settings)
        except UnavailableError as error:
            self._log.warning("notices_wait", message=str(error))
            return False

    def _make_ahead(self) -> bool:
        """Make files of a new dataset ahead. Returns whether there was one."""
        try:
            version_id = self._making_ahead.make_next()
        except HubError as error:
            self._log.warning("not_made_ahead", message=str(error))
            return False
        if version_id is not None:
            self._log.info("made_ahead", version_id=version_id)
        return version_id is not None

    def _ends(self) -> bool:
        return self._is_over or self.is_stopping

    def _renew_leases(self) -> None:
        for child in self._children:
            with self._hub.engine.begin() as connection:
                is_ours = renew_lease(connection, run_id=child.run.id, owner=self.owner, lease_s=self._hub.settings.lease_s)
                run = None if is_ours else run_by_id(connection, child.run.id)
            # A job that ended its run itself is left to its own end: it may still be tidying up.
            is_over = run is not None and run.status in ("succeeded", "failed") and run.attempt == child.run.attempt
            if run is not None and not is_over:
                self._log.info("run_no_longer_ours", run_id=child.run.id)
                ask_to_stop(child.process)
        self._renewed = time.monotonic()

    def _settle(self, child: _Child) -> None:
        """Write down how a run ended, unless its job did: one that succeeds or is refused finishes its run itself."""
        status = child.process.returncode
        self._log.info("run_ended", run_id=child.run.id, exit_status=status, log_file=child.log_file)
        failure, message = _failure(status, child.log_file)
        with self._hub.engine.begin() as connection:
            run = run_by_id(connection, child.run.id)
            # Tried again by now, perhaps by us, it is no longer this child's.
            if run.status != "running" or run.lease_owner != self.owner or run.attempt != child.run.attempt:
                return
            try:
                fail_run(
                    connection,
                    run_id=run.id,
                    owner=self.owner,
                    failure=failure,
                    message=message,
                    first_wait_s=self._hub.settings.training_retry_s,
                )
            except ConflictError as error:  # it was cancelled in this very moment
                self._log.info("run_no_longer_ours", run_id=run.id, message=str(error))

    def _return_all(self) -> None:
        """Stop the children, all at once, and put their runs back into the queue."""
        deadline = time.monotonic() + _STOP_GRACE_S
        while any(child.process.poll() is None for child in self._children) and time.monotonic() < deadline:
            for child in self._children:
                ask_to_stop(child.process)
            time.sleep(_ASK_AGAIN_S)
        for child in self._children:
            end_now(child.process)
            try:
                with self._hub.engine.begin() as connection:
                    is_back = return_run(connection, run_id=child.run.id, owner=self.owner)
            except UnavailableError as error:
                self._log.warning("run_left_to_its_lease", run_id=child.run.id, message=str(error))
            else:
                self._log.info("run_returned" if is_back else "run_no_longer_ours", run_id=child.run.id)
        self._children.clear()


def _failure(exit_status: int, log_file: Path) -> tuple[str, str]:
    """Say what kind of failure it was that a job could not write down itself, and why, for people."""
    if exit_status == EXIT_ERROR:
        # Before its run was its own, or when the catalogue no longer answered: it ends refused runs itself.
        return "outside", _last_words(log_file)
    if exit_status == EXIT_STOPPED or exit_status < 0 or exit_status > _KILLED:
        return "lost", f"The job was stopped from outside (exit status {exit_status})."
    return "defect", f"The job ended with exit status {exit_status}. Its log is for the operators of this hub: {log_file.name}."


def _last_words(log_file: Path) -> str:
    """Return the last line that a job wrote: the message of the error that it ended with."""
    with log_file.open("rb") as file:
        file.seek(max(0, log_file.stat().st_size - _LOG_TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix(f"{JOB}: ")[:_MESSAGE_LENGTH] if lines else "The job ended without a word."
