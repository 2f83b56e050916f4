"""Another threshold for a check, applied to the scores of the ledger: what it would change, and changing it.

The verdicts that were stay; newer ones, of the same score by the new threshold, are in force from then on. No picture is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, text

from deep_images_hub.batches.thresholds import require_threshold
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.intake import forget_decisions_put_aside
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import ConflictError

# The advisory lock of whoever redecides; any number that nobody else takes.
_LOCK_KEY = 0x44494805
_PAGE_BATCHES = 10_000
_WHAT_BECOMES = {"fail": "fail", "flag": "are flagged"}


@dataclass(frozen=True)
class Threshold:
    """A check's threshold, 0..1, and what becomes of lower scores. Raises InvalidInputError where there is no such threshold.

    Attributes:
        outcome_below: `fail`, or `flag`, which keeps the picture.
    """

    check_name: str
    value: float
    outcome_below: str = "fail"

    def __post_init__(self) -> None:
        """Refuse what is none."""
        require_threshold(self.check_name, self.value)


@dataclass(frozen=True)
class BatchRange:
    """Closed batches from one id to another, both included. submitted_count: of them all."""

    first_id: int
    last_id: int
    submitted_count: int


@dataclass(frozen=True)
class ThresholdEffect:
    """Submissions of one label that a threshold would turn from one decision to another.

    Attributes:
        is_operators: an operator decided on them last, so that they stay as they are.
        submission_ids: ascending.
    """

    label_code: str
    label_name: str
    from_status: str
    from_reason: str | None
    to_status: str
    to_reason: str | None
    is_operators: bool
    submissions: int
    submission_ids: tuple[int, ...]


@dataclass(frozen=True)
class CheckInForce:
    """By what thresholds a check judges now: the newest verdicts that have a score.

    Attributes:
        judged_otherwise: those that were judged by another threshold than the one in question.
        lowest_threshold, highest_threshold: None where there is none.
    """

    scored: int
    judged_otherwise: int
    lowest_threshold: float | None
    highest_threshold: float | None


@dataclass(frozen=True)
class Redecided:
    """What some batches' redecision did: verdicts added, pictures that came in and went out, decisions that changed in all."""

    judged: int = 0
    came_in: int = 0
    went_out: int = 0
    changed: int = 0

    def __add__(self, other: "Redecided") -> "Redecided":
        """Add up two parts."""
        return Redecided(
            self.judged + other.judged,
            self.came_in + other.came_in,
            self.went_out + other.went_out,
            self.changed + other.changed,
        )


def threshold_effect(
    connection: Connection, threshold: Threshold, *, first_batch_id: int | None = None, last_batch_id: int | None = None
) -> list[ThresholdEffect]:
    """Return what a threshold would change, of some batches or of all, by label and by what becomes of what."""
    rows = connection.execute(
        load_query("threshold_effect"),
        _parameters(threshold, first_batch_id, last_batch_id),
    )
    return [ThresholdEffect(**{**row._mapping, "submission_ids": tuple(row.submission_ids)}) for row in rows]


def check_in_force(
    connection: Connection, threshold: Threshold, *, first_batch_id: int | None = None, last_batch_id: int | None = None
) -> CheckInForce:
    """Return by what thresholds a check judges now, and how many verdicts another one would be new to."""
    row = connection.execute(load_query("check_in_force"), _parameters(threshold, first_batch_id, last_batch_id)).one()
    return CheckInForce(**row._mapping)


def closed_batch_ranges(connection: Connection, *, submissions: int) -> list[BatchRange]:
    """Part the batches that are closed now into ranges of about so many submissions, by id; a larger batch stays whole."""
    ranges: list[BatchRange] = []
    first_id, last_id, count = 0, 0, 0
    while True:
        page = connection.execute(load_query("closed_batches"), {"after_id": last_id, "limit": _PAGE_BATCHES}).all()
        for batch in page:
            if count and count + batch.submitted_count > submissions:
                ranges.append(BatchRange(first_id, last_id, count))
                count = 0
            first_id = batch.id if count == 0 else first_id
            last_id, count = batch.id, count + batch.submitted_count
        if not page:
            return [*ranges, BatchRange(first_id, last_id, count)] if count else ranges


@contextmanager
def redeciding_alone(engine: Engine) -> Iterator[None]:
    """Keep others from redeciding meanwhile: two thresholds at once would be mixed. Holds one idle connection.

    Raises:
        ConflictError: somebody else is redeciding.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
            raise ConflictError("Another redecision is running on this catalogue. Wait until it has ended, then run this again.")
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})


def begin_redecision(connection: Connection, threshold: Threshold, *, before: CheckInForce, user_id: int | None) -> int:
    """Write down that a threshold is being applied, and return the redecision's id; of one that was stopped half way, the same.

    Goes on only with the latest of a check: after another one, it would be no continuation. What intake has put aside was decided
    by the threshold before, and is forgotten.
    """
    forget_decisions_put_aside(connection)
    unfinished: int | None = connection.scalar(
        text(
            "select id from redecisions where check_name = :check_name and threshold = cast(:threshold as real)"
            " and finished_at is null and id = (select max(id) from redecisions where check_name = :check_name)"
        ),
        {"check_name": threshold.check_name, "threshold": threshold.value},
    )
    if unfinished is not None:
        return unfinished
    begun: int = connection.execute(
        text(
            "insert into redecisions (check_name, threshold, lowest_before, highest_before, user_id)"
            " values (:check_name, :threshold, :lowest, :highest, :user_id) returning id"
        ),
        {
            "check_name": threshold.check_name,
            "threshold": threshold.value,
            "lowest": before.lowest_threshold,
            "highest": before.highest_threshold,
            "user_id": user_id,
        },
    ).scalar_one()
    return begun


def redecide_batches(
    connection: Connection, threshold: Threshold, *, redecision_id: int, batches: BatchRange, user_id: int | None
) -> Redecided:
    """Apply a threshold to some batches: verdicts, decisions and all that follows from them. Doing it again changes nothing.

    Locks the batches. Call it once in a transaction.
    """
    bounds = {"first_batch_id": batches.first_id, "last_batch_id": batches.last_id}
    connection.execute(
        text("select id from batches where id between :first_batch_id and :last_batch_id order by id for no key update"), bounds
    )
    # Before the new verdicts are written: it compares with those in force.
    effects = [effect for effect in threshold_effect(connection, threshold, **bounds) if not effect.is_operators]
    given = {**_parameters(threshold, **bounds), "redecision_id": redecision_id}
    judged = connection.execute(load_query("redecide_verdicts"), given).rowcount
    done = Redecided(
        judged=judged,
        came_in=sum(effect.submissions for effect in effects if effect.to_status == "accepted"),
        went_out=sum(effect.submissions for effect in effects if effect.from_status == "accepted"),
        changed=sum(effect.submissions for effect in effects),
    )
    connection.execute(
        text(
            "update redecisions set judged_count = judged_count + :judged, in_count = in_count + :came_in,"
            " out_count = out_count + :went_out, changed_count = changed_count + :changed where id = :id"
        ),
        {"id": redecision_id, **asdict(done)},
    )
    change_decisions(
        connection,
        changes=[
            DecisionChange(submission_id, effect.to_status, effect.to_reason)
            for effect in effects
            for submission_id in effect.submission_ids
        ],
        cause="redecide",
        detail=f"{threshold.check_name}: scores below {threshold.value:g} {_WHAT_BECOMES[threshold.outcome_below]}",
        user_id=user_id,
    )
    return done


def finish_redecision(connection: Connection, *, redecision_id: int) -> None:
    """Write down that a redecision has reached every batch."""
    connection.execute(text("update redecisions set finished_at = now() where id = :id"), {"id": redecision_id})


def _parameters(threshold: Threshold, first_batch_id: int | None, last_batch_id: int | None) -> dict[str, object]:
    return {
        "check_name": threshold.check_name,
        "threshold": threshold.value,
        "outcome_below": threshold.outcome_below,
        "first_batch_id": first_batch_id,
        "last_batch_id": last_batch_id,
    }
