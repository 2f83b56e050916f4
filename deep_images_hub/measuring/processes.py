"""Watch what processes use (Linux)."""

import os
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.2
# A process that was just forked may still become one that is meant: it is looked at so often.
_LOOKS = 25
# The share of the work behind which a run counts as under way.
_UNDER_WAY = 0.1


@dataclass
class Cost:
    """What something took: seconds by the clock, and processor seconds."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def cost_of_children() -> Iterator[Cost]:
    """Measure a block, and the processes that it starts and that end in it: the cost is there when it has ended."""
    cost = Cost()
    began_s, used_s = time.monotonic(), _children_cpu_s()
    yield cost
    cost.wall_s, cost.cpu_s = time.monotonic() - began_s, _children_cpu_s() - used_s


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


def resident_mib_of_tree(process_id: int) -> float:
    """Return the memory, resident, of a living process and all processes under it; pages that they share count for each."""
    try:
        pages = int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(map(resident_mib_of_tree, _children_of(process_id)))
    except FileNotFoundError:
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


@dataclass(frozen=True)
class Sample:
    """How far some processes are: by the clock, by what they have used, and by their work."""

    at_s: float
    cpu_s: float
    done: int


class Watched:
    """Finds what some processes use while the block runs, and how far their work is, by looking at them five times a second.

    Args:
        variable: NAME=VALUE that their environments hold.
        server: process id of a server that works for them: what it and all under it use counts too.
        asked: process id of the one under the server that tells `progress` something, which is no work of theirs.
        progress: says how much of their work is done.
    """

    def __init__(
        self, variable: str, *, server: int | None = None, asked: int | None = None, progress: Callable[[], int] = int
    ) -> None:
        """Nothing is watched before the block begins."""
        self._variable = variable.encode()
        self._server = server
        self._asked = asked
        self._progress = progress
        self._peak_mib: dict[int, int] = {}
        self._cpu_s: dict[int, float] = {}
        self._words: dict[int, bytes] = {}
        self._looks_in_vain: Counter[int] = Counter()
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all of them, but for the last fifth of a second of each."""
        return sum(self._cpu_s.values())

    def peak_mib(self, command_word: str = "") -> int:
        """Return the most memory, resident, that any one of them had whose command line holds a word; 0: there was none."""
        return max((self._peak_mib[process_id] for process_id in self._with_word(command_word)), default=0)

    def balance(self, command_word: str, processes: int) -> float:
        """Return how evenly so many of those with a word in their command line shared the work: the least of the most, 0..1."""
        used_s = [self._cpu_s[process_id] for process_id in self._with_word(command_word)]
        shares_s = sorted(used_s, reverse=True)[:processes]
        return shares_s[-1] / shares_s[0] if len(shares_s) == processes and shares_s[0] else 0.0

    def cost_by_unit(self) -> Cost:
        """Return what one unit of the work took once it was under way: from its first tenth on, to the end of the last.

        So nothing of what starting takes is in it, which on a busy machine is more than a short run's work.
        """
        last = max((sample.done for sample in self._samples), default=0)
        first = next((sample for sample in self._samples if sample.done >= _UNDER_WAY * last), None)
        end = next((sample for sample in self._samples if sample.done == last), None)
        if first is None or end is None or first.done == end.done:
            return Cost()
        units = end.done - first.done
        return Cost((end.at_s - first.at_s) / units, (end.cpu_s - first.cpu_s) / units)

    def _with_word(self, command_word: str) -> list[int]:
        return [process_id for process_id, words in self._words.items() if command_word.encode() in words]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        is_over = False
        while not is_over:
            # Once more at the end.
            is_over = self._over.wait(_EVERY_S)
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self._look_at(process)
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue
            served_s = cpu_s_of_tree(self._server) if self._server else 0.0
            if self._asked:
                served_s -= cpu_s_of_tree(self._asked)
            self._samples.append(Sample(time.monotonic(), self.cpu_s + served_s, self._progress()))

    def _look_at(self, process: Path) -> None:
        process_id = int(process.name)
        if self._looks_in_vain[process_id] == _LOOKS:
            return
        if process_id not in self._words:
            if self._variable not in (process / "environ").read_bytes().split(b"\0"):
                self._looks_in_vain[process_id] += 1
                return
            self._words[process_id] = b""
        # One that has ended and that nobody has waited for yet has none any more.
        self._words[process_id] = (process / "cmdline").read_bytes() or self._words[process_id]
        peak_mib = _peak_mib((process / "status").read_text(encoding="ascii"))
        self._peak_mib[process_id] = max(self._peak_mib.get(process_id, 0), peak_mib)
        self._cpu_s[process_id] = cpu_s_of(process_id)


def _peak_mib(status: str) -> int:
    """Read the high-water mark of a process from its status; 0 for one that is ending."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0
