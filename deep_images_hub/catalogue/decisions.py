"""Decisions after intake's: a new threshold, the network's opinion, a person. All of them go through `change_decisions`.

It keeps together what must never part: what a submission is, its batch's counts, whether its picture has a current label (and so
is seen anywhere), the counts of labels, and the history of decisions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.label_counts import add_image_counts
from deep_images_hub.catalogue.near_duplicates import compare_accepted
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.verdicts import CHECK_VERSION, DECISION_CAUSES, REASONS, Verdict

# The detail of a change by which an operator takes a decision back. What it takes back counts as if it had never been.
TAKEN_BACK = "taken back"
_DECIDED = ("accepted", "rejected", "review")


@dataclass(frozen=True)
class DecisionChange:
    """What a submission shall be from now on.

    Attributes:
        status: `accepted`, `rejected` or `review`.
        reason: one of `verdicts.REASONS`; None exactly where it is accepted.
        label_id: the label that whoever decides gives the picture, where it comes in under another one; None: as it was.
    """

    submission_id: int
    status: str
    reason: str | None
    label_id: int | None = None


@dataclass(frozen=True)
class PastDecision:
    """A decision that was changed later: from what to what, why, when, and by whom.

    Attributes:
        label_name: of the label that the picture got or lost by it, where it did.
        user_name: None where nobody signed.
    """

    from_status: str
    from_reason: str | None
    to_status: str
    to_reason: str | None
    cause: str
    detail: str | None
    label_name: str | None
    user_name: str | None
    created_at: datetime


@dataclass(frozen=True)
class LedgerVerdict(Verdict):
    """A verdict as the ledger keeps it. is_in_force: no newer verdict of the same check took its place."""

    check_version: int = CHECK_VERSION
    is_in_force: bool = True


@dataclass(frozen=True)
class WhyRejected:
    """What the ledger knows of one object that was sent.

    Attributes:
        reason: None where it is accepted, or pending.
        original_sha256: of the picture that it is a copy of, where that is the reason.
        cause: what changed its decision last, one of `verdicts.DECISION_CAUSES`; None: it is as intake decided.
        cause_detail: for people; None likewise.
        verdicts: those in force first, and of them those that failed it.
    """

    status: str
    reason: str | None
    original_sha256: str | None
    cause: str | None
    cause_detail: str | None
    changed_at: datetime | None
    verdicts: tuple[LedgerVerdict, ...]


@dataclass(frozen=True)
class _Before:
    """A submission before its decision is changed. has_own_picture: it is neither broken, nor a copy, nor taken down."""

    submission_id: int
    batch_key: str
    position: int
    batch_id: int
    batch_status: str
    status: str
    reason: str | None
    has_own_picture: bool


def change_decisions(
    connection: Connection,
    *,
    changes: Sequence[DecisionChange],
    cause: str,
    detail: str | None = None,
    user_id: int | None = None,
) -> int:
    """Change what submissions of closed batches are, with all that follows from it, and return how many became something else.

    A picture that is no longer accepted loses its current label. One that is accepted gets the label that the change names, or
    the one that it had when it was last accepted, or its supplier's, and is compared with the hub's for near-duplicates. An
    acceptance that an operator took back counts as none. A change to what a submission is already is nothing.

    Call it once in a transaction, near its end: it locks the batches, in order of their ids, and then the counts of labels.

    Args:
        cause: one of `verdicts.DECISION_CAUSES`.
        detail: for people: what brought it about.
        user_id: who decided, where somebody did.

    Raises:
        InvalidInputError: a status, reason or cause is unknown, they do not go together, or a submission is named twice.
        NotFoundError: a submission does not exist.
        ConflictError: a batch is pending still, or something shall be accepted, or looked at, that no picture was made of.
    """
    wanted = _checked(changes, cause)
    if not wanted:
        return 0
    before = _locked(connection, list(wanted))
    changed = [
        was for was in before if (was.status, was.reason) != (wanted[was.submission_id].status, wanted[was.submission_id].reason)
    ]
    if not changed:
        return 0
    _refuse_impossible(changed, wanted)
    labels, label_counts = _moved_labels(connection, changed, wanted, user_id)
    connection.execute(
        load_query("change_decisions"),
        {
            "submission_ids": [was.submission_id for was in changed],
            "statuses": [wanted[was.submission_id].status for was in changed],
            "reasons": [wanted[was.submission_id].reason for was in changed],
            "image_label_ids": [labels.get(was.submission_id) for was in changed],
            "cause": cause,
            "detail": detail,
            "user_id": user_id,
        },
    )
    compare_accepted(connection, submission_ids=[was.submission_id for was in changed if was.status != "accepted"])
    _count_in_batches(connection, changed, wanted)
    add_image_counts(connection, label_counts)
    return len(changed)


def decision_history(connection: Connection, *, submission_id: int) -> list[PastDecision]:
    """Return how a submission's decision changed since intake, oldest first."""
    rows = connection.execute(load_query("decision_history"), {"submission_id": submission_id})
    return [PastDecision(**row._mapping) for row in rows]


def object_history(connection: Connection, *, object_key: str) -> list[PastDecision]:
    """Return how the decision on an object that was sent changed since intake, oldest first. Raises NotFoundError."""
    return decision_history(connection, submission_id=submission_of_object(connection, object_key))


def submission_of_object(connection: Connection, object_key: str) -> int:
    """Return the submission of an object that was sent. Raises NotFoundError."""
    submission_id: int | None = connection.scalar(text("select id from submissions where object_key = :key"), {"key": object_key})
    if submission_id is None:
        raise NotFoundError(f"Nothing was sent as {object_key!r}.")
    return submission_id


def why_rejected(connection: Connection, *, object_key: str) -> WhyRejected:
    """Return why an object that was sent is no accepted picture, or why it is one. Raises NotFoundError."""
    rows = connection.execute(load_query("why_rejected"), {"object_key": object_key}).all()
    if not rows:
        raise NotFoundError(f"Nothing was sent as {object_key!r}.")
    return WhyRejected(
        status=rows[0].status,
        reason=rows[0].reason,
        original_sha256=rows[0].original_sha256,
        cause=rows[0].cause,
        cause_detail=rows[0].cause_detail,
        changed_at=rows[0].changed_at,
        verdicts=tuple(
            LedgerVerdict(
                check_name=row.check_name,
                outcome=row.outcome,
                score=row.score,
                threshold=row.threshold,
                detail=row.detail,
                check_version=row.check_version,
                is_in_force=row.is_in_force,
            )
            for row in rows
            if row.check_name is not None
        ),
    )


def _checked(changes: Iterable[DecisionChange], cause: str) -> dict[int, DecisionChange]:
    if cause not in DECISION_CAUSES:
        raise InvalidInputError(f"{cause!r} is no cause of a decision. Expected one of {', '.join(DECISION_CAUSES)}.")
    wanted: dict[int, DecisionChange] = {}
    for change in changes:
        if change.status not in _DECIDED:
            raise InvalidInputError(f"{change.status!r} is no decision. Expected one of {', '.join(_DECIDED)}.")
        if (change.status == "accepted") != (change.reason is None) or (change.reason or REASONS[0]) not in REASONS:
            raise InvalidInputError(
                f"{change.status!r} does not go with the reason {change.reason!r}. Expected none for what is accepted, "
                f"else one of {', '.join(REASONS)}."
            )
        if change.label_id is not None and change.status != "accepted":
            raise InvalidInputError(f"{change.status!r} does not go with a label. Give one to what is accepted only.")
        if change.submission_id in wanted:
            raise InvalidInputError(f"Submission {change.submission_id} is named twice. Decide on it once.")
        wanted[change.submission_id] = change
    return wanted


def _locked(connection: Connection, submission_ids: list[int]) -> list[_Before]:
    """Lock the batches of submissions, and then read these: nobody changes them before the transaction ends."""
    given = {"submission_ids": submission_ids}
    connection.execute(
        text(
            "select id from batches where id in (select batch_id from submissions where id = any(:submission_ids))"
            " order by id for no key update"
        ),
        given,
    )
    before = [_Before(**row._mapping) for row in connection.execute(load_query("decisions_before"), given)]
    if missing := set(submission_ids) - {was.submission_id for was in before}:
        raise NotFoundError(f"There is no submission with the id {min(missing)}.")
    return before


def _refuse_impossible(changed: Iterable[_Before], wanted: Mapping[int, DecisionChange]) -> None:
    for was in changed:
        which = f"number {was.position} of batch {was.batch_key!r}"
        if was.batch_status != "closed":
            raise ConflictError(
                f"The batch of {which} is {was.batch_status}: intake has not decided on it yet. Run intake first."
            )
        if wanted[was.submission_id].status != "rejected" and not was.has_own_picture:
            raise ConflictError(
                f"There is no picture of {which}, which is {was.status} as {was.reason}: it cannot become "
                f"{wanted[was.submission_id].status}. Broken files, copies of other photographs and what was taken down stay out."
            )


def _moved_labels(
    connection: Connection, changed: Iterable[_Before], wanted: Mapping[int, DecisionChange], user_id: int | None
) -> tuple[dict[int, int], Counter[int]]:
    """Take and give current labels. Returns the moved label's row by submission, and what it adds to counts by label."""
    leaving = [was.submission_id for was in changed if was.status == "accepted"]
    coming = [was.submission_id for was in changed if wanted[was.submission_id].status == "accepted"]
    given = {
        "label_ids": [wanted[submission_id].label_id for submission_id in coming],
        "user_id": user_id,
        "taken_back": TAKEN_BACK,
    }
    rows: dict[int, int] = {}
    counts: Counter[int] = Counter()
    for query, submission_ids, parameters, added in (
        ("labels_taken_away", leaving, {}, -1),
        ("labels_given_back", coming, given, 1),
    ):
        if not submission_ids:
            continue
        for moved in connection.execute(load_query(query), {"submission_ids": submission_ids, **parameters}):
            rows[moved.submission_id] = moved.image_label_id
            counts[moved.label_id] += added
    return rows, counts


def _count_in_batches(connection: Connection, changed: Iterable[_Before], wanted: Mapping[int, DecisionChange]) -> None:
    added: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for was in changed:
        added[was.batch_id][was.status] -= 1
        added[was.batch_id][wanted[was.submission_id].status] += 1
    lists = {status: [counts[status] for counts in added.values()] for status in _DECIDED}
    connection.execute(load_query("add_batch_counts"), {"batch_ids": list(added), **lists})
