"""Apply another threshold of a check to every photograph that was ever scored, from the ledger alone.

Reads: verdicts of the catalogue. No picture is read again.
Writes: newer verdicts, of the same scores by the new threshold; decisions, labels and counts of what thereby comes in or goes
out; the history of both (`redecisions`, `decision_changes`).

It says beforehand what it would change. Running it twice changes nothing. Killed anywhere, it leaves batches that are redecided
and batches that are not, and the same command goes on. Spark has nothing to do here, since a few SQL statements for some thousand
photographs at a time do it all: it is a job so that operators have one way to run what changes the hub.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from pyspark.sql import SparkSession
from sqlalchemy import Connection, Engine

from deep_images_hub.batches.thresholds import THRESHOLD_CHECKS, outcome_below, threshold_setting
from deep_images_hub.catalogue.redecisions import (
    BatchRange,
    CheckInForce,
    Redecided,
    Threshold,
    ThresholdEffect,
    begin_redecision,
    check_in_force,
    closed_batch_ranges,
    finish_redecision,
    redecide_batches,
    redeciding_alone,
    threshold_effect,
)
from deep_images_hub.catalogue.users import user_by_email
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.progress import Progress
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job

# Submissions whose batches are locked and changed in one transaction: it takes well under a second.
_TRANSACTION_SUBMISSIONS = 2_000
_LABELS_SHOWN = 20
_WHAT_BECOMES = {"fail": "fails", "flag": "is flagged"}

_Part = TypeVar("_Part")


def redecide(hub: Hub, given: Namespace, _spark: SparkSession) -> int:
    """Say what a threshold would change, and unless it is a dry run, change it."""
    threshold = Threshold(given.check, given.threshold, outcome_below(given.check, hub.settings))
    with hub.engine.begin() as connection:
        user_id = _operator_id(connection, given.by)
    with redeciding_alone(hub.engine):
        with hub.engine.begin() as connection:
            ranges = closed_batch_ranges(connection, submissions=_TRANSACTION_SUBMISSIONS)
        before, effects = _look(hub.engine, threshold, ranges)
        print("\n".join([*_forecast(threshold, before, effects), *_advice(threshold, hub.settings)]))
        if given.dry_run:
            print("redecide: nothing was changed, since this was a dry run.")
            return 0
        if not before.judged_otherwise:
            print("redecide: nothing to do.")
            return 0
        done = _apply(hub.engine, threshold, ranges, before, user_id)
    print(
        f"redecide: {done.judged:,} scores judged anew, {done.came_in:,} pictures came in, {done.went_out:,} went out, "
        f"{done.changed:,} decisions changed in all."
    )
    return 0


def _operator_id(connection: Connection, email: str | None) -> int | None:
    if email is None:
        return None
    user = user_by_email(connection, email)
    if user is None or not user.may("operate"):
        found = f"has the role {user.role}{'' if user.is_active else ' and is not active'}" if user else "does not exist"
        raise InvalidInputError(f"The account {email!r} {found}. --by names an operator; scripts/account makes one.")
    return user.id


def _look(engine: Engine, threshold: Threshold, ranges: Sequence[BatchRange]) -> tuple[CheckInForce, list[ThresholdEffect]]:
    """Find out what would change, without changing anything."""

    def look(connection: Connection, batches: BatchRange) -> tuple[CheckInForce, list[ThresholdEffect]]:
        bounds = {"first_batch_id": batches.first_id, "last_batch_id": batches.last_id}
        return check_in_force(connection, threshold, **bounds), threshold_effect(connection, threshold, **bounds)

    parts = _by_ranges("Looking", engine, ranges, look)
    lowest = [found.lowest_threshold for found, _ in parts if found.lowest_threshold is not None]
    highest = [found.highest_threshold for found, _ in parts if found.highest_threshold is not None]
    before = CheckInForce(
        scored=sum(found.scored for found, _ in parts),
        judged_otherwise=sum(found.judged_otherwise for found, _ in parts),
        lowest_threshold=min(lowest, default=None),
        highest_threshold=max(highest, default=None),
    )
    return before, [effect for _, effects in parts for effect in effects]


def _apply(
    engine: Engine, threshold: Threshold, ranges: Sequence[BatchRange], before: CheckInForce, user_id: int | None
) -> Redecided:
    with engine.begin() as connection:
        redecision_id = begin_redecision(connection, threshold, before=before, user_id=user_id)

    def change(connection: Connection, batches: BatchRange) -> Redecided:
        return redecide_batches(connection, threshold, redecision_id=redecision_id, batches=batches, user_id=user_id)

    done = sum(_by_ranges("Redeciding", engine, ranges, change), Redecided())
    with engine.begin() as connection:
        finish_redecision(connection, redecision_id=redecision_id)
    return done


def _by_ranges(
    title: str, engine: Engine, ranges: Sequence[BatchRange], work: Callable[[Connection, BatchRange], _Part]
) -> list[_Part]:
    """Do something to each range of batches, each in a transaction of its own."""
    parts = []
    with Progress(title, total=sum(batches.submitted_count for batches in ranges), unit="photographs") as progress:
        for batches in ranges:
            with engine.begin() as connection:
                parts.append(work(connection, batches))
            progress.advance(batches.submitted_count)
    return parts


def _forecast(threshold: Threshold, before: CheckInForce, effects: Sequence[ThresholdEffect]) -> list[str]:
    """Return the lines that say what would change: in all, by what becomes of what, and by label."""
    changing = [effect for effect in effects if not effect.is_operators]
    kept = sum(effect.submissions for effect in effects if effect.is_operators)
    came_in = sum(effect.submissions for effect in changing if effect.to_status == "accepted")
    went_out = sum(effect.submissions for effect in changing if effect.from_status == "accepted")
    becomes = f"{threshold.check_name} below {threshold.value:g} {_WHAT_BECOMES[threshold.outcome_below]}"
    lines = [
        f"redecide: {becomes}{_so_far(before)}, of {before.scored:,} photographs.",
        f"  {came_in:,} pictures come in, {went_out:,} go out.",
    ]
    by_change: Counter[str] = Counter()
    for effect in changing:
        came_from, became = _state(effect.from_status, effect.from_reason), _state(effect.to_status, effect.to_reason)
        by_change[f"{came_from} -> {became}"] += effect.submissions
    lines += [f"  {count:>9,}  {change}" for change, count in sorted(by_change.items(), key=lambda entry: (-entry[1], entry[0]))]
    lines += _by_label(changing)
    if kept:
        lines.append(f"  {kept:,} more would change, and stay as they are: an operator decided on them.")
    return lines


def _by_label(changing: Sequence[ThresholdEffect]) -> list[str]:
    came_in: Counter[str] = Counter()
    went_out: Counter[str] = Counter()
    for effect in changing:
        label = effect.label_name if effect.label_name == effect.label_code else f"{effect.label_name} ({effect.label_code})"
        came_in[label] += effect.submissions * (effect.to_status == "accepted")
        went_out[label] += effect.submissions * (effect.from_status == "accepted")
    moved = sorted(came_in, key=lambda label: (-came_in[label] - went_out[label], label))
    moved = [label for label in moved if came_in[label] + went_out[label]]
    lines = [f"  {label}: {came_in[label]:,} in, {went_out[label]:,} out" for label in moved[:_LABELS_SHOWN]]
    if len(moved) > _LABELS_SHOWN:
        lines.append(f"  and {len(moved) - _LABELS_SHOWN:,} more labels")
    return lines


def _so_far(before: CheckInForce) -> str:
    lowest, highest = before.lowest_threshold, before.highest_threshold
    if lowest is None or highest is None:
        return ""
    return f" (so far: below {lowest:g})" if lowest == highest else f" (so far: below {lowest:g} to {highest:g})"


def _state(status: str, reason: str | None) -> str:
    return status if reason is None else f"{status}: {reason}"


def _advice(threshold: Threshold, settings: Settings) -> list[str]:
    """Say what to set so that intake judges photographs to come likewise."""
    setting = threshold_setting(threshold.check_name, threshold.value, settings)
    if setting is None or setting.value == setting.current:
        return []
    change = f"HUB_{setting.name.upper()}={setting.value:g}, or {setting.name} in the profile"
    return [f"  For photographs to come set {change}; it is {setting.current:g} now."]


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="redecide", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", required=True, metavar="CHECK", help=f"one of {', '.join(THRESHOLD_CHECKS)}")
    parser.add_argument("--threshold", required=True, type=float, metavar="X", help="0 to 1: lower scores do not pass")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    parser.add_argument("--by", metavar="EMAIL", help="the operator who decides this, for the history")
    run_job(redecide, parser)


if __name__ == "__main__":
    main()
