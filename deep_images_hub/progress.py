"""Show how far a long piece of work is: a bar with an estimate on a terminal, a plain line now and then in a log."""

import os
import shutil
import sys
import time
from types import TracebackType
from typing import Self, TextIO

# Set, to the terminal's width, for children whose output reaches a terminal through a pipe: spark-submit pipes its driver's.
TERMINAL_VARIABLE = "DEEP_IMAGES_HUB_TERMINAL_COLUMNS"

_REDRAW_S = 0.1
_LINE_S = 10.0
_MAX_BAR_WIDTH = 30
_LEAST_SHOWN_RATE = 0.05


class Progress:
    """The progress of one piece of work, as a context manager. Not for several threads.

    with Progress("Intake", total=2640, unit="photographs") as progress:
        progress.advance(12)
    """

    def __init__(
        self, title: str, total: int | None, unit: str, *, began_s: float | None = None, stream: TextIO | None = None
    ) -> None:
        """Name the work.

        Args:
            total: how much there is to do; None: nobody knows, and no estimate is given.
            unit: what is counted, in the plural.
            began_s: when it began, by `time.monotonic`; None: now.
            stream: stderr when not given.
        """
        self.done = 0
        self._title = title
        self._total = total
        self._unit = unit
        self._stream = stream or sys.stderr
        self._columns = terminal_columns(self._stream)
        self._shown = time.monotonic()
        self._started = self._shown if began_s is None else began_s
        # When the first of it was done, and how much that was: before it, processes started, which says nothing of what is left.
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        if self._columns:
            self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._show(last=True)

    def advance(self, count: int = 1) -> None:
        """Count more of it as done."""
        self.reach(self.done + count)

    def reach(self, done: int) -> None:
        """Say how much is done in all."""
        self.done = done
        # What was taken for done was not: the rate would be below zero.
        if self._first is not None and done < self._first[1]:
            self._first = None
        if done and self._first is None:
            self._first = time.monotonic(), done
        if time.monotonic() - self._shown >= (_REDRAW_S if self._columns else _LINE_S):
            self._show()

    def _show(self, *, last: bool = False) -> None:
        self._shown = time.monotonic()
        line = self._line(self._shown - self._started, last=last)
        if self._columns:
            # Back to the line's begin, clear it, and never wrap: a wrapped line could not be taken back.
            line = f"\r\x1b[2K{line[: self._columns - 1]}" + ("\n" if last else "")
        else:
            line += "\n"
        self._stream.write(line)
        self._stream.flush()

    def _line(self, elapsed_s: float, *, last: bool) -> str:
        count = f"{self.done:,}" + (f" of {self._total:,}" if self._total is not None else "") + f" {self._unit}"
        if last:
            return f"{self._title}: {count} in {as_duration(elapsed_s)}"
        parts = [count]
        rate = self._rate()
        if rate >= _LEAST_SHOWN_RATE:
            parts.append(f"{rate:,.1f}/s" if rate < 100 else f"{rate:,.0f}/s")
        if rate and self._total is not None and self.done < self._total:
            parts.append(f"about {as_duration((self._total - self.done) / rate)} left")
        return f"{self._title}: {self._bar()}{', '.join(parts)}"

    def _rate(self) -> float:
        """Return how much a second has been done since the first of it; 0 while nobody knows."""
        if self._first is None:
            return 0.0
        first_at, first_done = self._first
        elapsed_s = self._shown - first_at
        return (self.done - first_done) / elapsed_s if elapsed_s > 0 else 0.0

    def _bar(self) -> str:
        if not self._columns or not self._total:
            return ""
        width = min(_MAX_BAR_WIDTH, max(0, self._columns - 70))
        filled = min(width, width * self.done // self._total)
        return f"[{'#' * filled}{'.' * (width - filled)}] " if width else ""


def terminal_columns(stream: TextIO) -> int:
    """Return the width of the terminal behind a stream; 0: there is none."""
    if stream.isatty():
        return shutil.get_terminal_size().columns
    handed_down = os.environ.get(TERMINAL_VARIABLE, "") if stream in (sys.stdout, sys.stderr) else ""
    return int(handed_down) if handed_down.isdecimal() else 0


def as_duration(seconds: float) -> str:
    """Return a time in words: `8 s`, `2 min 5 s`, `3 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole >= 10 else f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
