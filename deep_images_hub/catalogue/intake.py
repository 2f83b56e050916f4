"""How decisions of intake come into the catalogue: staged by COPY from wherever they are made, then merged batch by batch.

Every photograph that decodes becomes a picture with a row in `images`, but only an accepted one gets a current label, and only
pictures with a current label are seen anywhere. So a rejected one can be let in later, when a threshold moves.

Batches are merged, several at once, in one transaction, which also closes them: killed anywhere, a run leaves batches that are
closed and batches that are pending, and nothing between. Of equal photographs the first one to be merged becomes the picture;
since runs merge in order of the batches' ids, that is the one with the lowest batch id and position.

Each run holds an advisory lock while it lives. Who stages holds a second one, shared, for the transaction, and looks whether the
run lives: so nothing comes into staging once a run is over and has tidied up. Rows that a run left behind whose lock is free are
removed by the next one.

Where the store failed for some photographs of a batch, the run puts the decisions on the others aside, and the next one takes
them up: it asks the store for nothing but what is missing.
"""

import hashlib
import json
import secrets
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from deep_images_hub.batches.decide import Decision, PendingSubmission
from deep_images_hub.catalogue.batch_mails import queue_batch_mails
from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.catalogue.label_counts import add_image_counts
from deep_images_hub.catalogue.near_duplicates import compare_accepted
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import UnavailableError
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from deep_images_hub.verdicts import CHECK_VERSION

# The first halves of the advisory locks of runs, and of staging; any numbers that nobody else takes.
_ATTEMPT_LOCK_CLASS = 0x44494803
_STAGING_LOCK_CLASS = 0x44494804
# In the place of a run's number: decisions that are put aside. Those of another version of the checks are not taken up.
_ASIDE = -CHECK_VERSION
_COLUMNS = (
    "attempt", "batch_id", "submission_id", "status", "reason", "verdicts", "sha256", "format", "size_bytes",
    "picture_size_bytes", "picture_sha256", "picture_crc32", "width_px", "height_px", "picture_key", "thumbnail_key",
    "quality_score", "whole_hash", "inner_hash", "grid",
)  # fmt: skip


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is in a run of intake.

    Attributes:
        is_closed: merged, by this run or by another one.
        decided_count: submissions that have a decision, the unavailable ones among them.
        unavailable_count: submissions whose object the store could not give.
        problem: what the store said of one of them.
    """

    batch_id: int
    is_closed: bool
    submitted_count: int
    decided_count: int
    unavailable_count: int
    problem: str | None


@dataclass(frozen=True)
class MergedBatch:
    """What became of a batch that was closed."""

    batch_id: int
    accepted_count: int
    rejected_count: int


@contextmanager
def intake_attempt(engine: Engine) -> Iterator[int]:
    """Begin a run of intake, give its number, and remove what it has left in staging when it ends, however late it came there.

    Holds one connection, idle and outside any transaction, whose end tells others that the run is over, however it ended.
    """
    attempt = 1 + secrets.randbelow((1 << 31) - 1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("select pg_advisory_lock(:class, :attempt)"), {"class": _ATTEMPT_LOCK_CLASS, "attempt": attempt})
        try:
            yield attempt
        finally:
            connection.execute(
                text("select pg_advisory_unlock(:class, :attempt)"), {"class": _ATTEMPT_LOCK_CLASS, "attempt": attempt}
            )
            with engine.begin() as tidying:
                # Waits for those who are staging; those who come later see that the run is over.
                tidying.execute(
                    text("select pg_advisory_xact_lock(:class, :attempt)"), {"class": _STAGING_LOCK_CLASS, "attempt": attempt}
                )
                tidying.execute(text("delete from staged_decisions where attempt = :attempt"), {"attempt": attempt})


def remove_dead_attempts(connection: Connection) -> int:
    """Remove what runs left in staging that ended without tidying up; return how many rows there were.

    What was put aside stays, unless it is of another version of the checks.
    """
    left_behind = text("select distinct attempt from staged_decisions where attempt <> :aside")
    attempts = connection.execute(left_behind, {"aside": _ASIDE}).scalars().all()
    removed = 0
    for attempt in attempts:
        lock = {"class": _ATTEMPT_LOCK_CLASS, "attempt": attempt}
        if connection.scalar(text("select pg_try_advisory_xact_lock(:class, :attempt)"), lock):
            connection.execute(
                text("select pg_advisory_xact_lock(:class, :attempt)"), {"class": _STAGING_LOCK_CLASS, "attempt": attempt}
            )
            removed += connection.execute(text("delete from staged_decisions where attempt = :attempt"), lock).rowcount
    return removed


def put_decisions_aside(connection: Connection, *, attempt: int, batch_id: int) -> int:
    """Keep a run's decisions on a batch for the next run, all but those that the store did not let it make; return how many."""
    return connection.execute(
        text(
            "update staged_decisions set attempt = :aside"
            " where attempt = :attempt and batch_id = :batch_id and status <> 'unavailable'"
        ),
        {"aside": _ASIDE, "attempt": attempt, "batch_id": batch_id},
    ).rowcount


def take_up_decisions(connection: Connection, *, attempt: int, batch_ids: Sequence[int]) -> int:
    """Make the decisions on some batches that were put aside those of this run; return how many. Of two runs one gets them."""
    return connection.execute(
        text("update staged_decisions set attempt = :attempt where attempt = :aside and batch_id = any(:batch_ids)"),
        {"aside": _ASIDE, "attempt": attempt, "batch_ids": list(batch_ids)},
    ).rowcount


def forget_decisions_put_aside(connection: Connection) -> None:
    """Let the next run decide again, by the thresholds that it then has."""
    connection.execute(text("delete from staged_decisions where attempt = :aside"), {"aside": _ASIDE})


def pending_submissions(
    connection: Connection, *, attempt: int, portions: Sequence[tuple[int, int, int]]
) -> list[PendingSubmission]:
    """Return the submissions of some portions that wait for a decision in this run, by batch and position.

    Args:
        portions: (batch id, first position, last position); a batch that was closed meanwhile has none.
    """
    batch_ids, firsts, lasts = zip(*portions, strict=True)
    rows = connection.execute(
        text(
            "select submissions.id, submissions.batch_id, submissions.position, submissions.object_key"
            " from unnest(cast(:batch_ids as bigint[]), cast(:firsts as integer[]), cast(:lasts as integer[]))"
            " as portions (batch_id, first, last)"
            " join submissions on submissions.batch_id = portions.batch_id"
            " and submissions.position between portions.first and portions.last"
            " where submissions.status = 'pending'"
            # One look into the index for each, however many decisions the run has made by then.
            " and (select true from staged_decisions as staged where staged.attempt = :attempt"
            " and staged.batch_id = submissions.batch_id and staged.submission_id = submissions.id limit 1) is null"
            " order by submissions.batch_id, submissions.position"
        ),
        {"attempt": attempt, "batch_ids": list(batch_ids), "firsts": list(firsts), "lasts": list(lasts)},
    )
    return [PendingSubmission(**row._mapping) for row in rows]


def stage_decisions(connection: Connection, *, attempt: int, decisions: Iterable[Decision]) -> int:
    """Put decisions into staging by COPY, and return how many. Their pictures must be in the store already.

    Raises:
        UnavailableError: the run is over, so nobody would merge them.
    """
    staging = {"staging": _STAGING_LOCK_CLASS, "run": _ATTEMPT_LOCK_CLASS, "attempt": attempt}
    connection.execute(text("select pg_advisory_xact_lock_shared(:staging, :attempt)"), staging)
    if connection.scalar(text("select pg_try_advisory_xact_lock_shared(:run, :attempt)"), staging):
        raise UnavailableError(
            "This run of intake has been stopped, or has lost its connection to the database. Run intake again."
        )
    return copy_rows(connection, "staged_decisions", _COLUMNS, (_staged_row(attempt, decision) for decision in decisions))


def _staged_row(attempt: int, decision: Decision) -> tuple[object, ...]:
    submission, examination = decision.submission, decision.examination
    key = (attempt, submission.batch_id, submission.id)
    if examination is None:
        return (*key, "unavailable", decision.problem, "[]", *[None] * (len(_COLUMNS) - 6))
    verdicts = json.dumps([vars(verdict) for verdict in examination.verdicts])
    picture, sha256 = examination.picture, examination.sha256
    if picture is None or sha256 is None:
        return (*key, "rejected", examination.reason, verdicts, sha256, *[None] * (len(_COLUMNS) - 7))
    return (
        *key,
        examination.status,
        examination.reason,
        verdicts,
        sha256,
        picture.format,
        decision.size_bytes,
        len(picture.jpeg),
        hashlib.sha256(picture.jpeg).hexdigest(),
        zlib.crc32(picture.jpeg),
        picture.width_px,
        picture.height_px,
        picture_key(sha256),
        thumbnail_key(sha256),
        picture.quality_score,
        picture.descriptor.whole_hash,
        picture.descriptor.inner_hash,
        rf"\x{picture.descriptor.grid.hex()}",
    )


def intake_progress(connection: Connection, *, attempt: int, batch_ids: Sequence[int]) -> list[BatchProgress]:
    """Return how far batches are in a run, by id."""
    rows = connection.execute(load_query("intake_progress"), {"attempt": attempt, "batch_ids": list(batch_ids)})
    return [BatchProgress(**row._mapping) for row in rows]


def count_staged(connection: Connection) -> None:
    """Let PostgreSQL count what is staged: for a large merge it would take thousands of rows for one, and pair all with all."""
    connection.execute(text("analyze staged_decisions"))


def merge_batches(connection: Connection, *, attempt: int, batch_ids: Sequence[int]) -> list[MergedBatch]:
    """Merge batches whose every submission is decided: pictures, labels, submissions, ledger, groups and counts; and close them.

    Several at once cost less than one after the other, and come to the same. Locks the batches.

    Returns:
        What became of each, by id, without those that another run has closed, which are left as they are.

    Raises:
        ValueError: a submission of a batch has no decision.
    """
    batches = {
        batch.id: batch
        for batch in connection.execute(
            text("select id, label_id, submitted_count, status from batches where id = any(:batch_ids) order by id for update"),
            {"batch_ids": list(batch_ids)},
        )
        if batch.status != "closed"
    }
    if not batches:
        return []
    place = {"attempt": attempt, "batch_ids": list(batches)}
    connection.execute(load_query("intake_insert_images"), place)
    decided = connection.execute(load_query("intake_decide_submissions"), place)
    merged = [MergedBatch(row.batch_id, row.accepted, row.rejected) for row in decided]
    _check_complete({batch.id: batch.submitted_count for batch in batches.values()}, merged)
    connection.execute(load_query("intake_label_images"), {"batch_ids": list(batches)})
    connection.execute(load_query("intake_write_verdicts"), {**place, "check_version": CHECK_VERSION})
    compare_accepted(connection, submission_ids=_accepted(connection, list(batches)))
    _close(connection, merged)
    queue_batch_mails(connection, batch_ids=list(batches))
    labelled: Counter[int] = Counter()
    for batch in merged:
        labelled[batches[batch.batch_id].label_id] += batch.accepted_count
    add_image_counts(connection, labelled)
    return merged


def _check_complete(submitted: Mapping[int, int], merged: Iterable[MergedBatch]) -> None:
    decided = {batch.batch_id: batch.accepted_count + batch.rejected_count for batch in merged}
    for batch_id, count in submitted.items():
        if decided.get(batch_id, 0) != count:
            raise ValueError(f"batch {batch_id} has {count} submissions and {decided.get(batch_id, 0)} decisions")


def _accepted(connection: Connection, batch_ids: Sequence[int]) -> list[int]:
    accepted = text("select id from submissions where batch_id = any(:batch_ids) and status = 'accepted'")
    return list(connection.execute(accepted, {"batch_ids": list(batch_ids)}).scalars())


def _close(connection: Connection, merged: Sequence[MergedBatch]) -> None:
    ids = [batch.batch_id for batch in merged]
    connection.execute(
        text(
            "update batches set status = 'closed', closed_at = now(), accepted_count = merged.accepted,"
            " rejected_count = merged.rejected"
            " from unnest(cast(:ids as bigint[]), cast(:accepted as integer[]), cast(:rejected as integer[]))"
            " as merged (id, accepted, rejected) where batches.id = merged.id"
        ),
        {
            "ids": ids,
            "accepted": [batch.accepted_count for batch in merged],
            "rejected": [batch.rejected_count for batch in merged],
        },
    )
    connection.execute(text("delete from staged_decisions where batch_id = any(:ids)"), {"ids": ids})
