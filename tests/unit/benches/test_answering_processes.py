"""Processes that a bench asks, of which one may end before its time."""

import os
import sys

import pytest

from deep_images_hub.errors import UnavailableError
from deep_images_hub.measuring.answering_processes import answering_processes, ask_at_once

DOUBLES = """
import json, sys
print("Loaded.")
for line in sys.stdin:
    print(json.dumps({"twice": 2 * json.loads(line)["number"]}), flush=True)
"""
WAITS_FOR_EVER = "import sys; sys.stdin.read()"
FAILS = "import sys; sys.stdin.readline(); sys.exit('no memory is left')"


def command(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


def test_process_answers_as_often_as_it_is_asked_and_what_else_it_prints_is_passed_over() -> None:
    with answering_processes([command(DOUBLES)] * 2, os.environ) as (one, other):
        assert ask_at_once([(one, {"number": 1}), (other, {"number": 2})]) == [{"twice": 2}, {"twice": 4}]
        assert one.ask({"number": 3}) == {"twice": 6}


def test_process_that_ends_is_reported_with_its_last_words_though_another_waits_for_it() -> None:
    with (
        answering_processes([command(WAITS_FOR_EVER), command(FAILS)], os.environ) as processes,
        pytest.raises(UnavailableError, match="ended with status 1: no memory is left"),
    ):
        ask_at_once([(process, {}) for process in processes])
