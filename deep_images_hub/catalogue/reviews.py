"""Pictures in review, and what people decide on them. Each decision changes a submission and is a verdict of the ledger.

Two people who look at the same picture cannot both decide on it: the second one is told who was first. What is taken back stays
in the history, and the picture waits again. Answers of a paid crowd would come in here too, as verdicts before somebody decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from deep_images_hub.batches.report import reason_words
from deep_images_hub.catalogue.decisions import TAKEN_BACK, DecisionChange, change_decisions
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.verdicts import CHECK_VERSION, REFUSAL_REASONS, REVIEW_CHECK

# Pictures of the queue that are counted; a longer one is said to have more.
MAX_COUNTED = 10_000


@dataclass(frozen=True)
class ReviewFilter:
    """Which pictures somebody wants to look at. label_code: as it was sent. None: any."""

    label_code: str | None = None
    reason: str | None = None
    batch_key: str | None = None


@dataclass(frozen=True)
class WaitingPicture:
    """A picture in review, with all that helps to decide on it.

    Attributes:
        submission_id: hand over a page's last one as `after_submission_id` to read on.
        label_id, label_code, label_name: what it comes in under when it is accepted: the label that it had, or that was sent.
        reason: why it is here; one of `verdicts.REASONS`.
        score, threshold, detail: of the verdict that put it here; None where there is none.
        since: it is in review.
        class_indexes, class_probabilities: of ImageNet's classes, what a network takes it for; None: none has looked.
    """

    submission_id: int
    sha256: str
    width_px: int
    height_px: int
    label_id: int
    label_code: str
    label_name: str
    reason: str
    score: float | None
    threshold: float | None
    detail: str | None
    batch_key: str
    filename: str
    supplier_name: str
    since: datetime
    class_indexes: Sequence[int] | None
    class_probabilities: Sequence[float] | None


@dataclass(frozen=True)
class WaitingKind:
    """How many of the oldest MAX_COUNTED pictures in review have a label, as it was sent, and a reason."""

    label_code: str
    label_name: str
    reason: str
    pictures: int


@dataclass(frozen=True)
class Reviewed:
    """A decision of somebody's that still stands: what the picture is by it. label_name None: it has no label."""

    change_id: int
    submission_id: int
    status: str
    reason: str | None
    label_name: str | None


def waiting_pictures(
    connection: Connection, wanted: ReviewFilter, *, after_submission_id: int = 0, limit: int
) -> list[WaitingPicture]:
    """Return pictures in review, oldest first."""
    rows = connection.execute(
        load_query("review_waiting"),
        {
            "label_code": wanted.label_code,
            "reason": wanted.reason,
            "batch_key": wanted.batch_key,
            "taken_back": TAKEN_BACK,
            "after_submission_id": after_submission_id,
            "limit": limit,
        },
    )
    return [WaitingPicture(**row._mapping) for row in rows]


def waiting_count(connection: Connection) -> int:
    """Return how many pictures are in review, MAX_COUNTED at most."""
    count: int = connection.execute(
        text("select count(*) from (select from submissions where status = 'review' limit :limit) as waiting"),
        {"limit": MAX_COUNTED},
    ).scalar_one()
    return count


def waiting_kinds(connection: Connection) -> list[WaitingKind]:
    """Return what is in review by label and reason, most pictures first."""
    return [WaitingKind(**row._mapping) for row in connection.execute(load_query("review_kinds"), {"limit": MAX_COUNTED})]


def accept(connection: Connection, *, submission_id: int, user_id: int) -> None:
    """Let a picture in under the label that it had before it went into review, or else the one that it was sent with.

    Each of the decisions here belongs near the end of a transaction: they lock as `change_decisions` does.

    Raises:
        NotFoundError: there is no such submission.
        ConflictError: it is not in review, or no longer: nothing is changed.
    """
    _decide(connection, DecisionChange(submission_id, "accepted", None), "pass", "its label is right", user_id)


def relabel(connection: Connection, *, submission_id: int, label_code: str, user_id: int) -> None:
    """Let a picture in under another label, said by an operator. The label that it had stays in its history.

    Raises:
        NotFoundError: there is no such submission, or no such label.
        ConflictError: as for `accept`.
    """
    label = label_by_code(connection, label_code)
    change = DecisionChange(submission_id, "accepted", None, label_id=label.id)
    _decide(connection, change, "pass", f"it shows {label.name} ({label.code})", user_id)


def reject(connection: Connection, *, submission_id: int, reason: str, user_id: int) -> None:
    """Refuse a picture.

    Args:
        reason: one of `verdicts.REFUSAL_REASONS`.

    Raises:
        InvalidInputError: it is another reason.
        NotFoundError, ConflictError: as for `accept`.
    """
    if reason not in REFUSAL_REASONS:
        raise InvalidInputError(
            f"{reason[:40]!r} is no reason to refuse a picture for. Expected one of {', '.join(REFUSAL_REASONS)}."
        )
    detail = f"{reason}: {reason_words(reason)}"
    _decide(connection, DecisionChange(submission_id, "rejected", reason), "fail", detail, user_id)


def take_back(connection: Connection, *, change_id: int, user_id: int) -> int:
    """Take back a decision of one's own, so that the picture waits again, and return its submission.

    Raises:
        NotFoundError: there is no such decision of this account's.
        ConflictError: it no longer stands.
    """
    submission_id: int | None = connection.scalar(
        text(
            "select submission_id from decision_changes"
            " where id = :change_id and user_id = :user_id and cause = 'operator' and from_status = 'review'"
        ),
        {"change_id": change_id, "user_id": user_id},
    )
    if submission_id is None:
        raise NotFoundError("There is no decision of yours with this number. Take back what you decided yourself.")
    now = lock_decision(connection, submission_id)
    if now.change_id != change_id:
        raise ConflictError(f"This decision no longer stands: {_who(now)} Nothing was changed.")
    _change(connection, DecisionChange(submission_id, now.from_status, now.from_reason), "flag", TAKEN_BACK, user_id)
    return submission_id


def put_into_review(connection: Connection, *, submission_id: int, user_id: int) -> None:
    """Put an accepted picture into review, since somebody says that its label is wrong.

    Raises:
        NotFoundError: there is no such submission.
        ConflictError: it is not accepted, or no longer: nothing is changed.
    """
    now = lock_decision(connection, submission_id)
    if now.status != "accepted":
        raise ConflictError(f"This picture is not accepted any more: {_who(now)} Nothing was changed.")
    change = DecisionChange(submission_id, "review", "label_agreement")
    _change(connection, change, "flag", "somebody says that its label is wrong", user_id)


def refuse_as_taken_down(connection: Connection, *, submission_id: int, why: str, user_id: int) -> None:
    """Refuse a submission whose picture is taken down, whatever it was before. why: for people."""
    lock_decision(connection, submission_id)
    change = DecisionChange(submission_id, "rejected", "taken_down")
    _change(connection, change, "fail", f"taken_down: {why}", user_id)


def latest_decision(connection: Connection, *, user_id: int) -> Reviewed | None:
    """Return the latest decision of somebody's that still stands, to be taken back; None: there is none."""
    row = connection.execute(load_query("review_latest"), {"user_id": user_id}).one_or_none()
    return None if row is None else Reviewed(**row._mapping)


def lock_decision(connection: Connection, submission_id: int) -> Row[Any]:
    """Lock a submission's batch, as `change_decisions` will again, and return what the submission is since then.

    Raises:
        NotFoundError: there is no such submission.
    """
    connection.execute(
        text("select from batches where id = (select batch_id from submissions where id = :id) for no key update"),
        {"id": submission_id},
    )
    row = connection.execute(load_query("review_locked"), {"submission_id": submission_id}).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no submission with the id {submission_id}.")
    return row


def _decide(connection: Connection, change: DecisionChange, outcome: str, detail: str, user_id: int) -> None:
    now = lock_decision(connection, change.submission_id)
    if now.status != "review":
        raise ConflictError(f"This picture is not in review any more: {_who(now)} Nothing was changed.")
    _change(connection, change, outcome, detail, user_id)


def _change(connection: Connection, change: DecisionChange, outcome: str, detail: str, user_id: int) -> None:
    change_decisions(connection, changes=[change], cause="operator", detail=detail, user_id=user_id)
    connection.execute(
        text(
            "insert into verdicts (submission_id, check_name, check_version, outcome, detail, decision_change_id)"
            " select submission_id, :check_name, :check_version, :outcome, :detail, max(id)"
            " from decision_changes where submission_id = :submission_id group by submission_id"
        ),
        {
            "submission_id": change.submission_id,
            "check_name": REVIEW_CHECK,
            "check_version": CHECK_VERSION,
            "outcome": outcome,
            "detail": detail,
        },
    )


def _who(now: Row[Any]) -> str:
    """Say what a submission is and who made it that."""
    status = {"accepted": "accepted it", "rejected": "refused it", "review": "put it into review"}.get(now.status)
    if status is None or now.change_id is None:
        return f"it is {now.status}, as intake decided."
    who = now.user_name or {"network": "the network", "redecide": "a new threshold"}.get(now.cause, "somebody")
    return f"{who} {status}."
