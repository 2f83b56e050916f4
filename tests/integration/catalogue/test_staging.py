"""Staging of intake's decisions: only while their run lives, and nothing is left when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, Engine, text

from deep_images_hub.batches.decide import Decision, PendingSubmission
from deep_images_hub.catalogue.intake import (
    count_staged,
    forget_decisions_put_aside,
    intake_attempt,
    put_decisions_aside,
    remove_dead_attempts,
    stage_decisions,
    take_up_decisions,
)
from deep_images_hub.errors import UnavailableError
from deep_images_hub.images.examine import refused_as_missing

if TYPE_CHECKING:
    from tests.conftest import HubOf

DECISION = Decision(PendingSubmission(id=1, batch_id=1, position=0, object_key="landing/b/0.jpg"), None)


@pytest.fixture(scope="module")
def engine(hub_of: HubOf) -> Iterator[Engine]:
    with hub_of() as hub:
        yield hub.engine


DECIDED = replace(DECISION, submission=replace(DECISION.submission, id=2, position=1), examination=refused_as_missing())


def staged(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("select count(*) from staged_decisions")).scalar_one())


def stage(connection: Connection, attempt: int) -> None:
    stage_decisions(connection, attempt=attempt, decisions=[DECISION])


def test_nothing_can_be_staged_for_a_run_that_is_over(engine: Engine) -> None:
    with intake_attempt(engine) as attempt, engine.begin() as connection:
        stage(connection, attempt)
        assert connection.scalar(text("select count(*) from staged_decisions")) == 1
        connection.commit()
    assert staged(engine) == 0
    with engine.begin() as connection, pytest.raises(UnavailableError, match=r"stopped.*Run intake again"):
        stage(connection, attempt)
    assert staged(engine) == 0


def test_the_end_of_a_run_waits_for_who_is_staging(engine: Engine) -> None:
    has_ended = Event()
    is_staging, attempts = Event(), list[int]()

    def run() -> None:
        with intake_attempt(engine) as attempt:
            attempts.append(attempt)
            is_staging.wait()
        has_ended.set()

    driver = Thread(target=run)
    driver.start()
    while not attempts:
        has_ended.wait(0.01)
    with engine.begin() as connection:
        stage(connection, attempts[0])
        is_staging.set()
        assert not has_ended.wait(0.3), "the run's end overtook a transaction that was staging"
    driver.join(timeout=10)
    assert has_ended.is_set()
    assert staged(engine) == 0


def test_the_next_run_removes_what_a_killed_one_left(engine: Engine) -> None:
    left_behind = 12345
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into staged_decisions (attempt, batch_id, submission_id, status, verdicts)"
                " values (:attempt, 1, 1, 'unavailable', '[]')"
            ),
            {"attempt": left_behind},
        )
    with intake_attempt(engine) as attempt:
        with engine.begin() as connection:
            stage(connection, attempt)
        with engine.begin() as connection:
            assert remove_dead_attempts(connection) == 1
        assert staged(engine) == 1, "a run that lives keeps what it staged"
    assert staged(engine) == 0


def test_decisions_that_are_put_aside_outlive_their_run_and_one_run_takes_them_up(engine: Engine) -> None:
    with intake_attempt(engine) as attempt, engine.begin() as connection:
        stage_decisions(connection, attempt=attempt, decisions=[DECISION, DECIDED])
        # What the store did not give is no decision.
        assert put_decisions_aside(connection, attempt=attempt, batch_id=1) == 1
    with engine.begin() as connection:
        assert remove_dead_attempts(connection) == 0
    assert staged(engine) == 1
    with intake_attempt(engine) as first, intake_attempt(engine) as second, engine.begin() as connection:
        assert take_up_decisions(connection, attempt=first, batch_ids=[2]) == 0
        assert take_up_decisions(connection, attempt=first, batch_ids=[1]) == 1
        assert take_up_decisions(connection, attempt=second, batch_ids=[1]) == 0
    assert staged(engine) == 0, "a run that did not merge what it took up has it decided again"


def test_decisions_of_other_checks_are_not_taken_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with intake_attempt(engine) as attempt, engine.begin() as connection:
        stage_decisions(connection, attempt=attempt, decisions=[DECIDED])
        put_decisions_aside(connection, attempt=attempt, batch_id=1)
        forget_decisions_put_aside(connection)
        assert connection.scalar(text("select count(*) from staged_decisions")) == 0
        stage_decisions(connection, attempt=attempt, decisions=[DECIDED])
        put_decisions_aside(connection, attempt=attempt, batch_id=1)
    monkeypatch.setattr("deep_images_hub.catalogue.intake._ASIDE", -1)
    with intake_attempt(engine) as attempt, engine.begin() as connection:
        assert take_up_decisions(connection, attempt=attempt, batch_ids=[1]) == 0
        assert remove_dead_attempts(connection) == 1


def test_postgresql_knows_how_many_are_staged_once_they_are_counted(engine: Engine) -> None:
    known = text("select reltuples::int from pg_class where relname = 'staged_decisions'")
    with intake_attempt(engine) as attempt, engine.begin() as connection:
        decisions = [replace(DECISION, submission=replace(DECISION.submission, id=number)) for number in range(1, 1001)]
        stage_decisions(connection, attempt=attempt, decisions=decisions)
        assert connection.scalar(known) < len(decisions)
        count_staged(connection)
        assert connection.scalar(known) == len(decisions)
        connection.rollback()
