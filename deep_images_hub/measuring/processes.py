"""Watch what processes use (Linux)."""

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.2


@dataclass
class Cost:
    """What something took: seconds by the clock, and processor seconds of the processes that it started and that have ended."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


@contextmanager
def cost_of_children() -> Iterator[Cost]:
    """Measure a block: the cost is there when it has ended."""
    cost = Cost()
    began_s, used_s = time.monotonic(), _children_cpu_s()
    yield cost
    cost.wall_s, cost.cpu_s = time.monotonic() - began_s, _children_cpu_s() - used_s


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class PeakMemory:
    """Finds the most memory that any one of some processes had, while the block runs.

    Args:
        command_word: what their command lines hold.
        variable: NAME=VALUE that their environments hold, to tell them from others of the same name.

    Attributes:
        mib: resident, 0 where there was no such process.
    """

    def __init__(self, command_word: str, variable: str) -> None:
        """Nothing is watched before the block begins."""
        self.mib = 0
        self._command_word = command_word.encode()
        self._variable = variable.encode()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    is_one = self._command_word in (process / "cmdline").read_bytes()
                    if is_one and self._variable in (process / "environ").read_bytes().split(b"\0"):
                        self.mib = max(self.mib, _peak_mib((process / "status").read_text(encoding="ascii")))
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue


def _peak_mib(status: str) -> int:
    """Read the high-water mark of a process from its status; 0 for one that is ending."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0
