"""TensorFlow in Spark's Python workers: how many threads it gets, and a process of its own where it needs one."""

import atexit
import ctypes
import importlib
import multiprocessing
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux

_BANNER = re.compile(rb"All log messages before absl::InitializeLog\(\)|oneDNN custom operations are on")

Result = TypeVar("Result")


def use_one_thread() -> None:
    """Load TensorFlow, kept to one thread in this process. Call it before the first import of `models`.

    Spark runs a task a core already. Two tasks of one thread each embedded 70 pictures a second where one task of two threads
    reached 37 (MobileNetV2; VGG16: 38 and 21).
    """
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", OMP_NUM_THREADS="1")
    load_tensorflow()


def load_tensorflow() -> None:
    """Load TensorFlow without the banner that it prints at every start. Call it before the first import of `models`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_banner():
        importlib.import_module("models.backbones")


@contextmanager
def without_banner() -> Iterator[None]:
    """Keep TensorFlow's banner from file descriptor 2; all else that is written there comes when the block ends.

    Its libraries write the banner before they look at any setting, and not by way of `sys.stderr`.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            os.write(2, b"".join(line for line in file if not _BANNER.search(line)))


@contextmanager
def fresh_process(environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Callable[..., Any]]:
    """Give a way to call a function in a process that has not used TensorFlow yet; the process ends with the block.

    Spark uses a Python worker for many tasks, but TensorFlow joins other workers only before its first use, and never leaves
    them. It is loaded from now on, while the caller does other things. What the function raises comes through, and so does what
    kept TensorFlow from being loaded. The process ends when this one is killed (Linux).

    Args:
        environment: variables that it has beside those of this process.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_begin, initargs=(dict(environment),)) as pool:
        loading = pool.submit(use_one_thread)

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            loading.result()
            return pool.submit(function, *arguments).result()

        yield call


def _begin(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    # Results were sent by then, and what Python imports from here on has tidied up. TensorFlow's libraries, which come after,
    # take seconds to take themselves apart.
    atexit.register(os._exit, 0)
