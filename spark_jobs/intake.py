"""Decide on every photograph of the pending batches, and take the good ones into the hub.

Reads: pending batches of the catalogue; their objects under `landing/`. The bucket is never listed.
Writes: pictures and thumbnails in the store; in the catalogue, by way of a staging table, pictures, labels, verdicts and
counts. Sends an e-mail to the supplier of each batch that it closes.

Running it twice changes nothing: objects lie under the hash of their content, and a batch is merged in the transaction that
closes it. Killed anywhere, it leaves batches that are closed and batches that are pending, which the next run takes up. A batch
with photographs that the store did not give stays pending too, and the next run asks for those alone. Two runs at once are
harmless. What runs in Spark's partitions is in `deciding`.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import takewhile
from typing import NoReturn

from pyspark.sql import SparkSession
from sqlalchemy import Connection, Engine

from deep_images_hub.catalogue.batches import PendingBatch, pending_batches
from deep_images_hub.catalogue.intake import (
    BatchProgress,
    count_staged,
    intake_attempt,
    intake_progress,
    merge_batches,
    put_decisions_aside,
    remove_dead_attempts,
    take_up_decisions,
)
from deep_images_hub.cli.arguments import whole_number
from deep_images_hub.cli.boundary import stop_signals
from deep_images_hub.errors import UnavailableError
from deep_images_hub.progress import Progress
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub
from spark_jobs.deciding import PROBLEMS_SCHEMA, decide_portions
from spark_jobs.entry import run_job
from spark_jobs.mailing import Mailing
from spark_jobs.portions import portions_of, tasks_frame, tasks_of

_PAGE_BATCHES = 1000
# Batches whose progress is asked for at once, and how long to wait when the first of them is not decided yet.
_WINDOW_BATCHES = 256
_POLL_S = 0.5
# Photographs whose batches are merged in one transaction: about a second of work, in which others who merge wait.
_MERGED_AT_ONCE = 500


def intake(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Take in the pending batches. Returns 1 when some had to stay pending because the store failed, else 0."""
    with hub.engine.begin() as connection:
        remove_dead_attempts(connection)
        batches = list(_pending(connection, given.max_batches))
    with Mailing(hub.engine, hub.settings) as mailing:
        # What an earlier run could not send is sent now, also where there is nothing else to do.
        mailing.nudge()
        merger = _take_in(hub, spark, batches, mailing) if batches else None
    if merger is None:
        print("intake: no batch is pending.")
    status = merger.report() if merger else 0
    for line in mailing.report():
        print(f"intake: {line}")
    return status


def _take_in(hub: Hub, spark: SparkSession, batches: Sequence[PendingBatch], mailing: Mailing) -> "_Merger":
    with intake_attempt(hub.engine) as attempt, ThreadPoolExecutor(1, thread_name_prefix="deciding") as background:
        with hub.engine.begin() as connection:
            take_up_decisions(connection, attempt=attempt, batch_ids=[batch.id for batch in batches])
        deciding = background.submit(_decide, spark, hub.settings, attempt, batches)
        merger = _Merger(hub.engine, attempt, batches, on_merged=mailing.nudge)
        try:
            merger.follow(deciding)
        except KeyboardInterrupt:
            # The run has to tidy up behind itself: on a busy machine the signal comes again before that is done.
            stop_signals.ignore()
            raise
        finally:
            # After a Ctrl-C, or an error: what is merged stays, what is being decided is given up.
            if not deciding.done():
                spark.sparkContext.cancelAllJobs()
    return merger


def _pending(connection: Connection, max_batches: int | None) -> Iterator[PendingBatch]:
    """Yield the batches that are pending now, by id."""
    left, after_id = max_batches, 0
    while left is None or left > 0:
        page = pending_batches(connection, limit=_PAGE_BATCHES if left is None else min(left, _PAGE_BATCHES), after_id=after_id)
        if not page:
            return
        yield from page
        after_id = page[-1].id
        left = None if left is None else left - len(page)


def _decide(spark: SparkSession, settings: Settings, attempt: int, batches: Sequence[PendingBatch]) -> None:
    """Decide on all submissions on Spark. Raises UnavailableError when a partition could not reach the catalogue."""
    tasks = tasks_of(portions_of(batches), parallelism=spark.sparkContext.defaultParallelism)
    problems = tasks_frame(spark, tasks).mapInArrow(decide_portions(settings, attempt), PROBLEMS_SCHEMA).collect()
    if problems:
        raise UnavailableError(problems[0].problem)


class _Merger:
    """Merges batches in order of their ids, as soon as they are decided, while Spark decides on the rest."""

    def __init__(self, engine: Engine, attempt: int, batches: Sequence[PendingBatch], *, on_merged: Callable[[], None]) -> None:
        self._on_merged = on_merged
        self._engine = engine
        self._attempt = attempt
        self._batches = batches
        self._merged = self._accepted = self._rejected = self._elsewhere = 0
        self._unavailable: list[str] = []
        self._unavailable_photographs = 0
        self._problem: str | None = None

    def follow(self, deciding: "Future[None]") -> None:
        """Merge until every batch is dealt with. Raises what deciding raised."""
        objects = sum(batch.submitted_count for batch in self._batches)
        waiting = list(self._batches)
        with Progress("Intake", total=objects, unit="photographs") as progress:
            while waiting:
                # Asked before the look into staging: what was staged before Spark ended is seen for sure.
                is_over = deciding.done()
                dealt_with = self._merge_decided(waiting[:_WINDOW_BATCHES], progress)
                waiting = waiting[dealt_with:]
                if is_over and not dealt_with:
                    break
                if not dealt_with:
                    wait([deciding], timeout=_POLL_S)
            deciding.result()
        if waiting:
            raise UnavailableError(
                f"{len(waiting)} batches lost their staged decisions, as after a restart of the database. Run intake again."
            )

    def _merge_decided(self, window: Sequence[PendingBatch], progress: Progress) -> int:
        """Merge what is decided at the begin of a window, and return how many batches that were."""
        with self._engine.begin() as connection:
            found = intake_progress(connection, attempt=self._attempt, batch_ids=[batch.id for batch in window])
        decided = list(takewhile(lambda state: state.is_closed or state.decided_count >= state.submitted_count, found))
        whole = [state for state in decided if not state.is_closed and not state.unavailable_count]
        # In order of their ids, also beside those that stay: of equal photographs the first to be merged becomes the picture.
        for group in _groups(whole):
            self._merge(group)
            progress.advance(sum(state.submitted_count for state in group))
        for batch, state in zip(window, decided, strict=False):
            if state.is_closed:
                self._elsewhere += 1
            elif state.unavailable_count:
                self._leave_pending(batch, state)
            else:
                continue
            progress.advance(state.submitted_count)
        return len(decided)

    def _leave_pending(self, batch: PendingBatch, state: BatchProgress) -> None:
        with self._engine.begin() as connection:
            put_decisions_aside(connection, attempt=self._attempt, batch_id=batch.id)
        self._unavailable.append(batch.key)
        self._unavailable_photographs += state.unavailable_count
        self._problem = self._problem or state.problem

    def _merge(self, group: Sequence[BatchProgress]) -> None:
        if sum(state.submitted_count for state in group) > _MERGED_AT_ONCE:
            # In a transaction of its own, so that no other run waits for what it locks.
            with self._engine.begin() as connection:
                count_staged(connection)
        with self._engine.begin() as connection:
            merged = merge_batches(connection, attempt=self._attempt, batch_ids=[state.batch_id for state in group])
        self._elsewhere += len(group) - len(merged)
        self._merged += len(merged)
        self._accepted += sum(batch.accepted_count for batch in merged)
        self._rejected += sum(batch.rejected_count for batch in merged)
        if merged:
            self._on_merged()

    def report(self) -> int:
        """Say what was done, and return the job's exit status."""
        print(f"intake: {self._merged} batches, {self._accepted} photographs accepted, {self._rejected} rejected.")
        if self._elsewhere:
            print(f"intake: {self._elsewhere} batches were closed by another run meanwhile.")
        if self._unavailable:
            shown = ", ".join(self._unavailable[:5])
            print(
                f"intake: {self._unavailable_photographs} photographs stay pending, since the store failed for them, and with "
                f"them {len(self._unavailable)} batches: {shown}. The first problem: {self._problem} "
                "Then run intake again: it asks for those photographs alone."
            )
            return 1
        return 0


def _groups(states: Iterable[BatchProgress]) -> Iterator[list[BatchProgress]]:
    """Yield neighbours that are merged together: up to _MERGED_AT_ONCE photographs, or one batch that has more."""
    group: list[BatchProgress] = []
    count = 0
    for state in states:
        if group and count + state.submitted_count > _MERGED_AT_ONCE:
            yield group
            group, count = [], 0
        group.append(state)
        count += state.submitted_count
    if group:
        yield group


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="intake", description=__doc__.partition("\n")[0])
    parser.add_argument("--max-batches", type=whole_number(1), metavar="N", help="take in at most so many batches, oldest first")
    run_job(intake, parser)


if __name__ == "__main__":
    main()
