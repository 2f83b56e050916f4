"""Start a Spark job with spark-submit: our Java, our code as a zip, quiet logs, and a stop that reaches the job.

spark-submit is a JVM that starts the job's Python as its child. A Ctrl-C is therefore not left to the terminal: the JVM would
die under the job's hands. The JVM ignores it, and `run_to_end` passes it on to the job, which stops cleanly (`spark_jobs.entry`).
"""

import ast
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import FrameType

from rapidfuzz import process

from deep_images_hub.errors import NotFoundError
from deep_images_hub.progress import TERMINAL_VARIABLE, terminal_columns
from deep_images_hub.resources import resource
from deep_images_hub.runtime.code_zip import build_code_zip, package_folder
from deep_images_hub.runtime.java import find_java_home
from deep_images_hub.settings import Settings

_LOOPBACK = "127.0.0.1"
_LOCAL_MASTERS = ("local", f"spark://{_LOOPBACK}", "spark://localhost")
# A job's time goes into its start and its Python; the JVM's second compiler would take the cores from both (docs/experiments.md).
QUICK_START = "-XX:TieredStopAtLevel=1"
# A barrier stage that needs more slots than there are would wait for ever.
_FIXED_CONFIGURATION = {"spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures": "1"}
# A stop is asked for again and again: the first may come before the job's Python is there to hear it.
_ASK_AGAIN_S = 1.0
_STOP_ATTEMPTS = 30
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


@dataclass(frozen=True)
class SparkCommand:
    """A command line and its whole environment, to run by `run_to_end` or by `Popen`."""

    arguments: tuple[str, ...]
    environment: dict[str, str]


def jobs() -> dict[str, str]:
    """Return every job's name and the first line of what its module says of it. A job is a module of spark_jobs that runs."""
    found = {}
    for file in sorted(package_folder("spark_jobs").glob("*.py")):
        source = file.read_text(encoding="utf-8")
        if 'if __name__ == "__main__":' in source:
            found[file.stem] = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return found


def spark_submit(settings: Settings, job: str, arguments: Sequence[str] = (), *, options: Sequence[str] = ()) -> SparkCommand:
    """Say how to start a job.

    Args:
        settings: `home` takes the code's zip and, where need be, a Java.
        job: a name of `jobs()`.
        arguments: of the job.
        options: of spark-submit; they win over ours.

    Raises:
        NotFoundError: there is no such job; the message lists those that there are.
    """
    known = jobs()
    if job not in known:
        nearest = process.extractOne(job, list(known), score_cutoff=60)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise NotFoundError(f"There is no job {job!r}.{hint} Jobs: {', '.join(known)}.")
    code = build_code_zip(settings.home.resolve() / "code")
    configuration = [part for name, value in _FIXED_CONFIGURATION.items() for part in ("--conf", f"{name}={value}")]
    command = (
        str(package_folder("pyspark") / "bin" / "spark-submit"),
        *("--master", settings.spark_master),
        *("--name", job),
        *("--driver-memory", settings.spark_driver_memory),
        *configuration,
        *options,
        *("--py-files", ",".join([str(code), *_values("--py-files", options)])),
        str(package_folder("spark_jobs") / f"{job}.py"),
        *arguments,
    )
    return SparkCommand(arguments=command, environment=spark_environment(settings, _master(settings, options)))


def spark_environment(settings: Settings, master: str) -> dict[str, str]:
    """Return our environment, with what Spark needs where the caller has not said otherwise."""
    home = settings.home.resolve()
    ours = {
        "SPARK_CONF_DIR": str(resource("config/spark")),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    if master.startswith(_LOCAL_MASTERS):
        # A laptop's own name often leads to an address that it no longer has.
        ours["SPARK_LOCAL_IP"] = _LOOPBACK
        ours |= {"SPARK_LAUNCHER_OPTS": QUICK_START, "SPARK_SUBMIT_OPTS": QUICK_START}
    if columns := terminal_columns(sys.stderr):
        ours[TERMINAL_VARIABLE] = str(columns)
    fixed = {
        "SPARK_HOME": str(package_folder("pyspark")),
        "JAVA_HOME": str(find_java_home(home)),
        "HUB_HOME": str(home),
    }
    return ours | dict(os.environ) | fixed


def _master(settings: Settings, options: Sequence[str]) -> str:
    return [settings.spark_master, *_values("--master", options)][-1]


def _values(name: str, options: Sequence[str]) -> list[str]:
    """Return what an option was given, as `--name value` or `--name=value`."""
    apart = [value for option, value in pairwise(options) if option == name]
    joined = [option.partition("=")[2] for option in options if option.startswith(f"{name}=")]
    return [*apart, *joined]


def start(command: SparkCommand, *, output: Path | None = None) -> "subprocess.Popen[bytes]":
    """Start a job as the leader of a process group of its own. It ends when this process does, however that ends (Linux).

    Call it from the main thread: the kernel takes the end of the thread that started a process for the end of its parent.

    Args:
        output: file that what it says is appended to; None: where our own output goes.
    """
    with output.open("ab") if output else nullcontext() as file:
        return subprocess.Popen(
            command.arguments,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT if file else None,
            start_new_session=True,
            preexec_fn=_tie_to_parent,
        )


def ask_to_stop(child: "subprocess.Popen[bytes]") -> None:
    """Ask a started job to stop cleanly. Harmless when it has ended; may be called again."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGINT)


def end_now(child: "subprocess.Popen[bytes]") -> None:
    """End a job that did not stop when it was asked to."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def run_to_end(command: SparkCommand) -> int:
    """Run a job in the foreground and return its exit status: 0 done, 1 refused with a message, 2 a defect, 130 stopped.

    SIGINT and SIGTERM stop the job cleanly; a second one, or half a minute without an end, ends it at once.
    """
    signals: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    earlier = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        child = start(command)
        attempts = 0
        while True:
            try:
                return child.wait(timeout=_ASK_AGAIN_S if signals else 0.2)
            except subprocess.TimeoutExpired:
                if len(signals) > 1 or attempts >= _STOP_ATTEMPTS:
                    end_now(child)
                    return 128 + signals[0]
                if signals:
                    attempts += 1
                    ask_to_stop(child)
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _tie_to_parent() -> None:
    """Runs in the child, before spark-submit: ignore Ctrl-C, which the JVM then ignores too, and end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)
