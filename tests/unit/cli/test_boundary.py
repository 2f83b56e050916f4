"""How a command's process ends: which exit status, and what it says."""

import os
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

import pytest

from deep_images_hub.cli.boundary import run_command
from deep_images_hub.errors import HubError, UnavailableError
from deep_images_hub.settings import Settings


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ended(error: BaseException | None, *, after: signal.Signals | None = None) -> int:
    """Return the exit status of a command that ends with an error, if any, after a signal, if any."""

    def command(_settings: Settings, _given: Namespace) -> int:
        try:
            if after:
                os.kill(os.getpid(), after)
        finally:
            if error:
                raise error
        return 0

    return run_command(command, ArgumentParser(prog="tidy"), [])


def test_a_command_that_is_done_ends_with_its_own_status() -> None:
    assert ended(None) == 0


def test_an_expected_error_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(HubError("The shelf is full. Empty it.")) == 1
    assert capsys.readouterr().err == "tidy: The shelf is full. Empty it.\n"


def test_a_defect_is_a_stack_trace_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(ZeroDivisionError("by nothing")) == 2
    assert "ZeroDivisionError: by nothing" in capsys.readouterr().err


@pytest.mark.parametrize("after", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("error", [None, ZeroDivisionError("of a broken connection"), UnavailableError("gone")])
def test_whatever_fails_after_a_stop_signal_is_part_of_the_stop(
    error: Exception | None, after: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(error, after=after) == 130
    assert capsys.readouterr().err == "tidy: stopped.\n"
