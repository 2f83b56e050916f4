"""Hostile files through `examine`, in a process of bounded memory: what is decided, what goes wrong, how long, how much memory.

Nothing may raise, die or hang. Each file is known by the seed and its number: --first N --files 1 examines one again, --keep DIR
keeps those that took long or went wrong.
"""

import multiprocessing
import resource
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from deep_images_hub.images.examine import ExaminationLimits, examine, limits_from_settings
from deep_images_hub.progress import Progress
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.hostile_files import hostile_file

_FILES, _QUICK_FILES = 10_000, 600
# Address space beyond what the process begins with. Decoding takes 12 bytes a pixel of `max_pixels`: 600 MB by default.
_MEMORY_BYTES = 2 << 30
# A file that takes longer by the clock hangs; one that takes longer in processor time is kept to be looked at.
_PATIENCE_S = 120.0
_LONG_S = 1.0
_KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        decision: `accepted`, a reason of `verdicts.REASONS`, `raised <error>`, `died` or `hung`.
        cpu_s: of the examination; 0 where it has no end.
        peak_rss_mib: of the process so far, its libraries included.
    """

    number: int
    harm: str
    decision: str
    cpu_s: float
    peak_rss_mib: int

    @property
    def is_wrong(self) -> bool:
        """No decision was made."""
        return self.decision in ("died", "hung") or self.decision.startswith("raised ")


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--files", type=int, metavar="N", help=f"files ({_FILES:,}; {_QUICK_FILES} with --quick)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which files: the same seed gives the same ones (0)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first file's number (0)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep files there that went wrong or took more than a second")


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Examine the files of a seed."""
    files = given.files or (_QUICK_FILES if given.quick else _FILES)
    numbers = range(given.first, given.first + files)
    outcomes: list[Outcome] = []
    with Progress("Examining", total=files, unit="files") as progress:
        for outcome in examined(given.seed, numbers, limits_from_settings(settings)):
            outcomes.append(outcome)
            progress.advance(1)
            if given.keep and (outcome.is_wrong or outcome.cpu_s > _LONG_S):
                given.keep.mkdir(parents=True, exist_ok=True)
                kept = given.keep / f"{given.seed}-{outcome.number}"
                kept.write_bytes(hostile_file(given.seed, outcome.number).body)
    decisions = Counter(outcome.decision for outcome in outcomes)
    slowest = max(outcomes, key=lambda outcome: outcome.cpu_s)
    wrong = [outcome for outcome in outcomes if outcome.is_wrong]
    for decision, count in decisions.most_common():
        print(f"  {count:>7,}  {decision}")
    for outcome in wrong:
        print(f"  file {outcome.number}, {outcome.harm}: {outcome.decision}")
    print(f"  slowest: file {slowest.number}, {slowest.harm}, {slowest.cpu_s:.2f} s, {slowest.decision}\n", flush=True)
    return {
        "files": files,
        "seed": given.seed,
        "decisions": dict(decisions.most_common()),
        "wrong": len(wrong),
        "slowest_s": round(slowest.cpu_s, 3),
        "slowest_file": slowest.number,
        "cpu_s": round(sum(outcome.cpu_s for outcome in outcomes), 1),
        "peak_rss_mib": max(outcome.peak_rss_mib for outcome in outcomes),
    }


def examined(seed: int, numbers: range, limits: ExaminationLimits) -> Iterator[Outcome]:
    """Examine files of a seed in a child process; after one that ends it, in another one."""
    context = multiprocessing.get_context("spawn")
    left = numbers
    while left:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_examine_all, args=(theirs, seed, left, limits), daemon=True)
        child.start()
        theirs.close()
        outcome = None
        for outcome in _received(ours):
            yield outcome
        left = left[left.index(outcome.number) + 1 :] if outcome else left
        if left:
            yield Outcome(left[0], hostile_file(seed, left[0]).harm, "hung" if child.is_alive() else "died", 0.0, 0)
            left = left[1:]
        child.kill()
        child.join()


def _received(pipe: Connection) -> Iterator[Outcome]:
    """Yield what a child finds out, until it has nothing to say any more."""
    with pipe:
        try:
            while pipe.poll(_PATIENCE_S):
                yield pipe.recv()
        except EOFError:
            return


def _examine_all(pipe: Connection, seed: int, numbers: range, limits: ExaminationLimits) -> None:
    """Run in the child."""
    _bound_memory()
    for number in numbers:
        file = hostile_file(seed, number)
        began_s = time.process_time()
        try:
            found = examine(file.body, limits)
            decision = found.reason or found.status
        except Exception as error:  # noqa: BLE001 - what must never be raised is what is looked for
            decision = f"raised {type(error).__name__}"
        peak_rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIB_PER_MIB
        pipe.send(Outcome(number, file.harm, decision, time.process_time() - began_s, peak_rss_mib))


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit_bytes = pages * resource.getpagesize() + _MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
