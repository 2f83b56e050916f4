"""Watch what processes use (Linux)."""

import os
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
def cost_of_children(*, server: int | None = None) -> Iterator[Cost]:
    """Measure a block: the cost is there when it has ended.

    Args:
        server: process id of a server that works for the block, and that lives on: what it and its children use counts too.
    """
    cost = Cost()
    began_s, used_s = time.monotonic(), _children_cpu_s()
    served_s = cpu_s_of_tree(server) if server else 0.0
    yield cost
    cost.wall_s = time.monotonic() - began_s
    cost.cpu_s = _children_cpu_s() - used_s + (cpu_s_of_tree(server) - served_s if server else 0.0)


def cpu_s_of(process_id: int) -> float:
    """Return the processor seconds that a living process has used, to a hundredth."""
    return sum(_cpu_times_s(process_id)[:2])


def cpu_s_of_tree(process_id: int) -> float:
    """Return the processor seconds that a living process and all processes under it have used, those that have ended too."""
    try:
        return sum(_cpu_times_s(process_id)) + sum(map(cpu_s_of_tree, _children_of(process_id)))
    except FileNotFoundError:
        # Ended since it was listed: its parent has what it used.
        return 0.0


def _cpu_times_s(process_id: int) -> tuple[float, ...]:
    """Return a process's own user and system time, and those of its children that have ended."""
    # Behind the name, which may hold anything, in brackets: the 14th to 17th field of proc(5).
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return tuple(int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:15])


def _children_of(process_id: int) -> list[int]:
    threads = Path(f"/proc/{process_id}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text(encoding="ascii").split()]


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Watched:
    """Finds what some processes use while the block runs, by looking at them five times a second.

    Args:
        command_word: what their command lines hold.
        variable: NAME=VALUE that their environments hold, to tell them from others of the same name.
    """

    def __init__(self, command_word: str, variable: str) -> None:
        """Nothing is watched before the block begins."""
        self._command_word = command_word.encode()
        self._variable = variable.encode()
        self._peak_mib: dict[int, int] = {}
        self._cpu_s: dict[int, float] = {}
        self._others: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def peak_mib(self) -> int:
        """The most memory that any one of them had, resident; 0 where there was none."""
        return max(self._peak_mib.values(), default=0)

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all of them, but for the last fifth of a second of each."""
        return sum(self._cpu_s.values())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            for process in Path("/proc").glob("[0-9]*"):
                process_id = int(process.name)
                try:
                    if process_id not in self._others and self._is_meant(process):
                        peak_mib = _peak_mib((process / "status").read_text(encoding="ascii"))
                        self._peak_mib[process_id] = max(self._peak_mib.get(process_id, 0), peak_mib)
                        self._cpu_s[process_id] = cpu_s_of(process_id)
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue

    def _is_meant(self, process: Path) -> bool:
        """Say whether a process is one of them. Those of other hubs are not asked again."""
        if int(process.name) in self._cpu_s:
            return True
        if self._command_word not in (process / "cmdline").read_bytes():
            return False
        is_meant = self._variable in (process / "environ").read_bytes().split(b"\0")
        if not is_meant:
            self._others.add(int(process.name))
        return is_meant


def _peak_mib(status: str) -> int:
    """Read the high-water mark of a process from its status; 0 for one that is ending."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0
