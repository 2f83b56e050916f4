"""The job's words and its course; what it changes is proved in catalogue/test_redecisions.py."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.users import create_user
from deep_images_hub.errors import InvalidInputError
from spark_jobs.redecide import redecide
from tests.integration.catalogue.test_redecisions import HIGH, LOW, take_in
from tests.integration.intake.crowds import catalogue_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deep_images_hub.wiring import Hub
    from tests.conftest import HubOf


@pytest.fixture
def taken_in(hub_of: HubOf) -> Iterator[Hub]:
    with hub_of(blurry_threshold=LOW) as hub:
        take_in(hub)
        yield hub


def run(hub: Hub, **given: Any) -> int:
    arguments = {"check": "blurry", "threshold": HIGH, "dry_run": False, "by": None} | given
    # It asks nothing of Spark.
    return redecide(hub, Namespace(**arguments), None)  # type: ignore[arg-type]


def test_dry_run_says_what_would_change_and_changes_nothing(taken_in: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    before = catalogue_of(taken_in)

    assert run(taken_in, dry_run=True) == 0

    assert catalogue_of(taken_in) == before
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "redecide: blurry below 0.45 fails (so far: below 0.24), of 10 photographs.",
        "  0 pictures come in, 2 go out.",
        "          2  accepted -> rejected: blurry",
        "  Apple (apple): 0 in, 1 out",
        "  Pear (pear): 0 in, 1 out",
        "  For photographs to come set HUB_BLURRY_THRESHOLD=0.45, or blurry_threshold in the profile; it is 0.24 now.",
        "redecide: nothing was changed, since this was a dry run.",
    ]
    assert "Looking: 11 of 11 photographs in" in err


def test_redecide_twice_changes_the_catalogue_once(taken_in: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    with taken_in.engine.begin() as connection:
        operator = create_user(
            connection, email="op@example.org", display_name="Op", role="operator", password="wombat otter lemon"
        )

    assert run(taken_in, by="op@example.org") == 0
    assert "10 scores judged anew, 0 pictures came in, 2 went out, 2 decisions changed in all." in capsys.readouterr().out
    done = catalogue_of(taken_in)
    assert run(taken_in) == 0
    assert "redecide: nothing to do." in capsys.readouterr().out

    assert catalogue_of(taken_in) == done
    with taken_in.engine.begin() as connection:
        signed = "select user_id from redecisions union all select user_id from decision_changes"
        assert connection.execute(text(signed)).scalars().all() == [operator.id] * 3


def test_redecide_signed_by_somebody_who_may_not_is_refused(taken_in: Hub) -> None:
    with pytest.raises(InvalidInputError, match=r"'ada@example.org' has the role supplier.*names an operator"):
        run(taken_in, by="ada@example.org")
    with pytest.raises(InvalidInputError, match=r"'nobody@example.org' does not exist"):
        run(taken_in, by="nobody@example.org")


def test_redecide_an_empty_hub_has_nothing_to_do(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(hub) == 0
    assert "redecide: nothing to do." in capsys.readouterr().out
