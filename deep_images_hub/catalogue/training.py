"""The queue of training runs: requests, leases, progress, how a run ends. What came of it is `models`'.

A run belongs to whoever holds its lease. A lease that is not renewed in time may be taken by another; what its former owner
writes afterwards is refused. Which status may follow which is decided by `deep_images_hub.training` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.datasets import version_by_id
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import training_events, training_runs
from deep_images_hub.catalogue.training_history import write_change
from deep_images_hub.datasets.trainable import ShortLabel
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.training import ENDED, MOST_TRIES, TRAINING_METHODS, check_transition, wait_s


@dataclass(frozen=True)
class TrainingRun:
    """A request for a baseline model, and how far it is.

    Attributes:
        requested_by: the account, or None.
        method: one of `training.TRAINING_METHODS`: of a pretrained backbone, whether its top blocks are trained too. A network
            that has no pretrained weights is trained whole, whatever this says.
        status: one of `training.RUN_STATUSES`.
        message: for people: the last thing that happened, or why it failed.
        attempt: how often it was taken from the queue; 0 while it never was.
        lease_owner, lease_until: who runs it, while it runs.
        repeats: the run that was asked for again by this one, or None.
        failure: why it failed, one of `training.FAILURES`, where it has failed or waits for another try; or None.
        failures: how often it failed and was tried again, or not, for whatever reason.
        not_before: when it is tried again, while it waits for that.
        lacking: labels with too few pictures, while it waits for them: dictionaries like `trainable.ShortLabel`; else None.
    """

    id: int
    version_id: int
    requested_by: int | None
    backbone: str
    method: str
    workers: int
    status: str
    message: str | None
    attempt: int
    lease_owner: str | None
    lease_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    repeats: int | None
    failure: str | None
    failures: int
    not_before: datetime | None
    lacking: list[dict[str, Any]] | None


@dataclass(frozen=True)
class ListedRun(TrainingRun):
    """A run with what it trains on. requester_name None: nobody's; model_id None: no model yet."""

    version_name: str
    version_digest: str
    image_count: int
    train_count: int
    validation_count: int
    test_count: int
    label_count: int
    requester_name: str | None
    model_id: int | None


@dataclass(frozen=True)
class TrainingEvent:
    """How far a stage of a run is.

    Attributes:
        id: grows; hand over the last one as `after_id` to read on.
        stage: of `training.STAGES`.
        done, total: steps of the stage, e.g. epochs.
        metrics: by name, e.g. `loss`, `accuracy`.
    """

    id: int
    attempt: int
    stage: str
    done: int
    total: int
    metrics: Mapping[str, float]
    created_at: datetime


_RUN_COLUMNS = [training_runs.c[name.name] for name in fields(TrainingRun)]


def request_run(
    connection: Connection,
    *,
    version_id: int,
    requested_by: int | None,
    backbone: str,
    workers: int,
    method: str = "head",
    repeats: int | None = None,
    lacking: Sequence[ShortLabel] | None = None,
) -> TrainingRun:
    """Put a run into the queue, or let it wait for pictures.

    Args:
        repeats: the run that is asked for again by this one.
        lacking: let it wait, and for pictures of these labels, if any; None: it need not.

    Raises:
        NotFoundError: there is no such dataset version.
        InvalidInputError: there are no workers, or there is no such method.
    """
    version_by_id(connection, version_id)
    if workers < 1:
        raise InvalidInputError(f"The run was asked for with {workers} workers. Expected 1 or more.")
    if method not in TRAINING_METHODS:
        raise InvalidInputError(f"There is no training method {method[:40]!r}. Expected: {' or '.join(TRAINING_METHODS)}.")
    row = connection.execute(
        insert(training_runs)
        .values(
            version_id=version_id,
            requested_by=requested_by,
            backbone=backbone,
            method=method,
            workers=workers,
            repeats=repeats,
            status="queued" if lacking is None else "waiting",
            lacking=null() if lacking is None else [asdict(label) for label in lacking],
        )
        .returning(*_RUN_COLUMNS)
    ).one()
    run = TrainingRun(**row._mapping)
    write_change(connection, run_id=run.id, attempt=0, status=run.status, message="Asked for.")
    return run


def take_run(connection: Connection, *, owner: str, lease_s: float, run_id: int | None = None) -> TrainingRun | None:
    """Take the next run from the queue: of the account with the fewest runs under way, the oldest. None: there is nothing to do.

    Of accounts with as many, the one whose runs of the last day took the least goes first. A run that waits for another try is
    passed over until then. Runs whose lease ran out go back into the queue first, or fail when that happened too often. Of
    several takers at once each gets another run. Commit soon: the run is locked until then.

    Args:
        owner: a name that no other process has, now or later.
        lease_s: seconds until the run may be taken by another, unless `renew_lease` is called.
        run_id: take this run, out of turn and before its time, or none.
    """
    _release_lost_runs(connection)
    queued = connection.execute(load_query("next_queued_run"), {"run_id": run_id}).one_or_none()
    if queued is None:
        return None
    check_transition(queued.status, "running")
    row = connection.execute(
        update(training_runs)
        .where(training_runs.c.id == queued.id)
        .values(
            status="running",
            attempt=training_runs.c.attempt + 1,
            lease_owner=owner,
            lease_until=_from_now(lease_s),
            started_at=func.coalesce(training_runs.c.started_at, func.clock_timestamp()),
            taken_at=func.clock_timestamp(),
            not_before=None,
            failure=None,
            message="Started.",
        )
        .returning(*_RUN_COLUMNS)
    ).one()
    run = TrainingRun(**row._mapping)
    write_change(connection, run_id=run.id, attempt=run.attempt, status="running", message="Taken from the queue.")
    return run


def _release_lost_runs(connection: Connection) -> None:
    lost = connection.execute(
        text(
            "select id, status, attempt, failures from training_runs"
            " where status = 'running' and lease_until < clock_timestamp() order by id for update skip locked"
        )
    )
    for run in lost:
        _fail(connection, run, "lost", "Whoever ran it stopped without a word.", first_wait_s=0)


def _fail(connection: Connection, run: Row[Any], failure: str, message: str, *, first_wait_s: float) -> bool:
    """Put a locked run that failed back into the queue, or end it after its last try. Returns whether it is tried again."""
    failures = 1 + connection.execute(load_query("failures_in_vain"), {"run_id": run.id, "failure": failure}).scalar_one()
    after_s = wait_s(failure, failures=failures, first_wait_s=first_wait_s)
    told = {"failure": failure, "failures": run.failures + 1}
    if after_s is not None:
        again = f"Tried again {_in_words(after_s)}: try {failures + 1} of {MOST_TRIES[failure]}."
        _move(connection, run, "queued", f"{message} {again}", not_before=_from_now(after_s) if after_s else None, **told)
        return True
    if failures > 1:
        message += f" Given up after {failures} tries."
    if failure == "lost":
        message += " Look for too little memory in the log of the dispatcher, or train on fewer pictures."
    _move(connection, run, "failed", message, **told)
    return False


def _in_words(seconds: float) -> str:
    if not seconds:
        return "now"
    return f"in {seconds:.0f} s" if seconds < 100 else f"in {seconds / 60:.0f} minutes"


def _move(connection: Connection, run: Row[Any], status: str, message: str | None, **values: Any) -> None:
    """Take a locked run out of `running`, `queued` or `waiting`. Raises ConflictError when it may not go there."""
    check_transition(run.status, status)
    # A lease that ran out: nobody knows for how long after it there was work.
    worked = func.least(func.clock_timestamp(), training_runs.c.lease_until) - training_runs.c.taken_at
    spent_s = training_runs.c.spent_s + func.coalesce(func.extract("epoch", worked), 0)
    connection.execute(
        update(training_runs)
        .where(training_runs.c.id == run.id)
        .values(
            {
                "status": status,
                "message": message,
                "lease_owner": None,
                "lease_until": None,
                "finished_at": None if status == "queued" else func.clock_timestamp(),
                "spent_s": spent_s if run.status == "running" else training_runs.c.spent_s,
                "failure": None,
                "not_before": None,
                "lacking": null(),
            }
            | values
        )
    )
    failure = values.get("failure")
    write_change(connection, run_id=run.id, attempt=run.attempt, status=status, failure=failure, message=message)


def _from_now(seconds: float) -> Any:
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def renew_lease(connection: Connection, *, run_id: int, owner: str, lease_s: float) -> bool:
    """Keep a run for so many seconds more. False: it was cancelled or taken by another; stop working on it."""
    renewed = connection.execute(
        update(training_runs)
        .where(training_runs.c.id == run_id, training_runs.c.status == "running", training_runs.c.lease_owner == owner)
        .values(lease_until=_from_now(lease_s))
    )
    return renewed.rowcount == 1


def add_event(
    connection: Connection,
    *,
    run_id: int,
    attempt: int,
    stage: str,
    done: int,
    total: int,
    metrics: Mapping[str, float] | None = None,
) -> bool:
    """Write down how far a run is. False, and nothing is written, when that attempt at it is over."""
    run = _locked_run(connection, run_id)
    if run.status != "running" or run.attempt != attempt:
        return False
    connection.execute(
        insert(training_events).values(
            run_id=run_id, attempt=attempt, stage=stage, done=done, total=total, metrics=dict(metrics or {})
        )
    )
    connection.execute(update(training_runs).where(training_runs.c.id == run_id).values(message=f"{stage}: {done} of {total}"))
    return True


def finish_run(connection: Connection, *, run_id: int, owner: str, status: str, message: str) -> None:
    """End a run, as its owner.

    Args:
        status: `succeeded` or `failed`: for good; `fail_run` may try it again.
        message: for people: what came of it, or why it failed.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: it has ended, or somebody else has its lease.
    """
    run = _run_of_owner(connection, run_id, owner, status)
    _move(connection, run, status, message, failure="unusable" if status == "failed" else None)


def fail_run(connection: Connection, *, run_id: int, owner: str, failure: str, message: str, first_wait_s: float) -> bool:
    """Write down that a run failed, as its owner: for good, or until it is tried again. Returns whether it is.

    Args:
        failure: one of `training.FAILURES`.
        message: for people: why.
        first_wait_s: seconds until the second try; doubled with each.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: it has ended, or somebody else has its lease.
    """
    return _fail(connection, _run_of_owner(connection, run_id, owner, "failed"), failure, message, first_wait_s=first_wait_s)


def _run_of_owner(connection: Connection, run_id: int, owner: str, status: str) -> Row[Any]:
    run = _locked_run(connection, run_id)
    check_transition(run.status, status)
    if run.lease_owner != owner:
        raise ConflictError(
            f"Training run {run_id} was lost by {owner} and taken by {run.lease_owner}. Its result is not kept; "
            "raise HUB_LEASE_S when this happens to runs that work."
        )
    return run


def return_run(connection: Connection, *, run_id: int, owner: str) -> bool:
    """Put a run back into the queue, as its owner, when whoever runs it is told to stop. False: it is no longer the owner's."""
    run = _locked_run(connection, run_id)
    if run.status != "running" or run.lease_owner != owner:
        return False
    _move(connection, run, "queued", "Waits for another try: the dispatcher that ran it was stopped.")
    return True


def cancel_run(connection: Connection, *, run_id: int) -> None:
    """Take a run out of the queue, or tell whoever runs it to stop: its next `renew_lease` says so.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: it has ended.
    """
    _move(connection, _locked_run(connection, run_id), "cancelled", "Cancelled.")


def _locked_run(connection: Connection, run_id: int) -> Row[Any]:
    row = connection.execute(select(training_runs).where(training_runs.c.id == run_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no training run with the number {run_id}.")
    return row


def run_by_id(connection: Connection, run_id: int) -> TrainingRun:
    """Return a run. Raises NotFoundError."""
    row = connection.execute(select(*_RUN_COLUMNS).where(training_runs.c.id == run_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no training run with the number {run_id}.")
    return TrainingRun(**row._mapping)


def has_ended(connection: Connection, run_id: int) -> bool:
    """Return whether a run is over, or was never there."""
    status = connection.execute(select(training_runs.c.status).where(training_runs.c.id == run_id)).scalar_one_or_none()
    return status is None or status in ENDED


def runs(
    connection: Connection,
    *,
    requested_by: int | None = None,
    version_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[ListedRun]:
    """Return runs of one account, of one dataset version, or of all, newest first. Read on with `before_id=page[-1].id`."""
    parameters = {"requested_by": requested_by, "version_id": version_id, "before_id": before_id, "limit": limit}
    return [ListedRun(**row._mapping) for row in connection.execute(load_query("runs_with_counts"), parameters)]


def events_of(connection: Connection, *, run_id: int, after_id: int = 0, limit: int = 1_000) -> list[TrainingEvent]:
    """Return a run's progress in order, of all its attempts, after an event."""
    rows = connection.execute(
        text(
            "select id, attempt, stage, done, total, metrics, created_at from training_events"
            " where run_id = :run_id and id > :after_id order by id limit :limit"
        ),
        {"run_id": run_id, "after_id": after_id, "limit": limit},
    )
    return [TrainingEvent(**row._mapping) for row in rows]
