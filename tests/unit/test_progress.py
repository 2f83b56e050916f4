"""How far a piece of work is, on a terminal and in a log."""

import io
import re

import pytest

from deep_images_hub import progress as progress_module
from deep_images_hub.progress import TERMINAL_VARIABLE, Progress, as_duration, terminal_columns


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module.time, "monotonic", clock.monotonic)
    return clock


def test_progress_in_a_log_is_a_plain_line_now_and_then(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("Intake", total=100, unit="photographs", stream=stream) as progress:
        for _ in range(30):
            clock.now += 1
            progress.advance(2)

    assert stream.getvalue().splitlines() == [
        "Intake: 20 of 100 photographs, 2.0/s, about 40 s left",
        "Intake: 40 of 100 photographs, 2.0/s, about 30 s left",
        "Intake: 60 of 100 photographs, 2.0/s, about 20 s left",
        "Intake: 60 of 100 photographs in 30 s",
    ]


def test_work_that_turns_out_not_to_be_done_has_no_rate_below_zero(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("Features", total=100, unit="pictures", stream=stream) as progress:
        for done in (100, 0, 20, 60):
            clock.now += 10
            progress.reach(done)

    assert stream.getvalue().splitlines() == [
        "Features: 100 of 100 pictures",
        "Features: 0 of 100 pictures",
        "Features: 20 of 100 pictures",
        "Features: 60 of 100 pictures, 4.0/s, about 10 s left",
        "Features: 60 of 100 pictures in 40 s",
    ]


def test_progress_on_a_terminal_redraws_one_line_that_never_wraps(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    stream = Terminal()
    with Progress("Intake", total=10, unit="photographs", stream=stream) as progress:
        progress.reach(1)
        clock.now += 1
        progress.reach(6)

    drawn = stream.getvalue().split("\r\x1b[2K")
    assert drawn[-2] == "Intake: [##################............] 6 of 10 photographs, 5.0/s, about 0.8 s left"
    assert drawn[-1] == "Intake: 6 of 10 photographs in 1.0 s\n"
    assert stream.getvalue().count("\n") == 1

    monkeypatch.setenv("COLUMNS", "20")
    narrow = Terminal()
    with Progress("Intake", total=10, unit="photographs", stream=narrow):
        pass
    assert max(len(line) for line in re.split(r"[\r\n]|\x1b\[2K", narrow.getvalue())) < 20


def test_progress_after_a_long_start_is_estimated_by_the_work_alone(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("Intake", total=100, unit="photographs", stream=stream) as progress:
        clock.now += 30
        progress.advance(4)
        clock.now += 10
        progress.advance(20)

    assert stream.getvalue().splitlines()[:2] == [
        "Intake: 4 of 100 photographs",
        "Intake: 24 of 100 photographs, 2.0/s, about 38 s left",
    ]


def test_progress_without_a_total_gives_no_estimate(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("Export", total=None, unit="pictures", stream=stream) as progress:
        progress.advance(1000)
        clock.now += 20
        progress.advance(4000)
    assert stream.getvalue() == "Export: 5,000 pictures, 200/s\nExport: 5,000 pictures in 20 s\n"


def test_terminal_behind_a_pipe_is_known_by_its_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del capsys
    import sys

    monkeypatch.setenv(TERMINAL_VARIABLE, "120")
    assert terminal_columns(sys.stderr) == 120
    assert terminal_columns(io.StringIO()) == 0
    monkeypatch.setenv(TERMINAL_VARIABLE, "wide")
    assert terminal_columns(sys.stderr) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.4, "9.4 s"), (42.4, "42 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (11_400, "3 h 10 min")],
)
def test_duration_in_words(seconds: float, words: str) -> None:
    assert as_duration(seconds) == words
