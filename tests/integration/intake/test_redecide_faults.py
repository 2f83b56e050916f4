"""Redecide started with spark-submit, killed and stopped while it changes decisions; run again: as if nothing had happened."""

from __future__ import annotations

import signal
from argparse import Namespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.measuring.made_up_catalogue import fill
from spark_jobs.redecide import redecide
from tests.integration.intake.crowds import catalogue_of
from tests.integration.intake.moments import moment
from tests.integration.intake.test_intake_faults import count, kill, run_until, stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deep_images_hub.wiring import Hub
    from tests.conftest import HubOf

# A transaction changes about 2,000: there are a dozen, and each fault strikes behind one of the next few.
IMAGES, MOST_TRANSACTIONS = 24_000, 3
THRESHOLD = 0.4
# Scores that differ from picture to picture, by what both catalogues have in common.
SCORES = """
    update verdicts set score = abs(hashtext(object_key)) % 1000 / 1000.0
    from submissions
    where submissions.id = verdicts.submission_id and check_name = 'blurry'
"""

pytestmark = pytest.mark.timeout(1800)


def filled(hub: Hub) -> Hub:
    fill(hub.engine, images=IMAGES)
    with hub.engine.begin() as connection:
        connection.execute(text(SCORES))
    return hub


def judged(hub: Hub) -> int:
    return count(hub, "verdicts where redecision_id is not null")


def some_more_judged(hub: Hub, fault: str) -> Callable[[], bool]:
    """Return what tells whether a run has ended as many more transactions as the seed says."""
    enough = judged(hub) + moment(fault, MOST_TRANSACTIONS) * 2_000
    return lambda: judged(hub) > enough


def run_to_the_end(hub: Hub) -> None:
    # It asks nothing of Spark.
    assert redecide(hub, Namespace(check="blurry", threshold=THRESHOLD, dry_run=False, by=None), None) == 0  # type: ignore[arg-type]


def test_redecide_killed_and_stopped_half_way_ends_like_an_undisturbed_one(hub_of: HubOf, tmp_path: Path) -> None:
    with hub_of() as undisturbed, hub_of() as hub:
        assert catalogue_of(filled(undisturbed)) == catalogue_of(filled(hub))
        run_to_the_end(undisturbed)

        job = ("redecide", "--check", "blurry", "--threshold", str(THRESHOLD))
        output = tmp_path / "redecide.log"
        assert run_until(hub, output, some_more_judged(hub, "redecide killed"), kill, job) == -signal.SIGKILL
        after_kill = judged(hub)
        assert 0 < after_kill < IMAGES
        assert run_until(hub, output, some_more_judged(hub, "redecide stopped"), stop, job) == 130, output.read_text()
        assert "Traceback" not in output.read_text()
        assert after_kill < judged(hub) < IMAGES
        # Both gone on with the same one, which is not at its end.
        assert count(hub, "redecisions") == 1
        assert count(hub, "redecisions where finished_at is null") == 1

        run_to_the_end(hub)

        # Among them the redecision with its counts, every verdict, old and new, and the history of every decision.
        assert catalogue_of(hub) == catalogue_of(undisturbed)
        assert count(hub, "redecisions where finished_at is not null") == 1
        assert judged(hub) == IMAGES
        changes = count(hub, "decision_changes where cause = 'redecide'")
        assert 0.3 * IMAGES < changes < 0.5 * IMAGES
        assert count(hub, "(select distinct submission_id from decision_changes where cause = 'redecide') as changed") == changes
        assert count(hub, "submissions where status = 'rejected' and reason = 'blurry'") == changes
        with hub.engine.begin() as connection:
            assert recount(connection) == []
