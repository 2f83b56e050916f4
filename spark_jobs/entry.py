"""The boundary of a job's process: what every job does at its begin and at its end, in one place.

A job is a function of an open hub, its arguments and a Spark session, which returns an exit status:

    def main() -> NoReturn:
        parser = ArgumentParser(prog="intake", description=__doc__)
        parser.add_argument("--batches", type=int)
        run_job(intake, parser)

Exit status: 0 done; 1 an expected error, with its message; 2 wrong arguments, or a defect, with its stack trace in the log;
130 stopped by Ctrl-C or SIGTERM, with Spark stopped and what was committed kept.
"""

import ctypes
import logging
import signal
import sys
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn

from pyspark.sql import SparkSession

from deep_images_hub.cli.boundary import run_command, stop_signals
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub, open_hub

Job = Callable[[Hub, Namespace, SparkSession], int]

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


def run_job(job: Job, parser: ArgumentParser, arguments: list[str] | None = None) -> NoReturn:
    """Run a job in this process, which spark-submit started, and exit with its status."""
    _end_with_the_jvm()
    # Py4J logs what it also raises, with a stack trace, by the root log and by its own: a Ctrl-C for instance.
    logging.getLogger().addFilter(lambda record: record.module != "java_gateway")
    logging.getLogger("py4j").setLevel(logging.CRITICAL)

    def run(settings: Settings, given: Namespace) -> int:
        hub = open_hub(settings)
        spark = SparkSession.builder.getOrCreate()
        # Spark's handler would cancel its jobs and leave the rest of ours running.
        stop_signals.take()
        with ExitStack() as at_the_end:
            at_the_end.callback(hub.engine.dispose)
            at_the_end.callback(_stop_spark, spark)
            at_the_end.callback(stop_signals.ignore)
            return job(hub, given, spark)

    status = run_command(run, parser, sys.argv[1:] if arguments is None else arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)


def _stop_spark(spark: SparkSession) -> None:
    with warnings.catch_warnings():
        if stop_signals.was_asked:
            # The signal may have broken the call to the JVM off half way; the JVM ends with this process all the same.
            warnings.filterwarnings("ignore", message="Unable to cleanly shutdown Spark JVM process", category=RuntimeWarning)
        spark.stop()


def _end_with_the_jvm() -> None:
    """Stop when spark-submit, which started us, is killed: nobody would hear what we do (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)
