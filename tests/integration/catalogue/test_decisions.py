"""Decisions after intake's: what follows from them, and what they may not do."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, insert, text, update

from deep_images_hub.catalogue.batches import batch_by_key, create_batch
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions, decision_history
from deep_images_hub.catalogue.images import gallery, labels_of
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.tables import image_labels
from deep_images_hub.catalogue.users import ensure_supplier
from deep_images_hub.errors import ConflictError, HubError, InvalidInputError, NotFoundError
from tests.integration.catalogue.planting import manifest_of, plant_batch, plant_labels
from tests.integration.catalogue.test_concurrent_counts import run_together

if TYPE_CHECKING:
    from tests.conftest import HubOf


@pytest.fixture
def planted(connection: Connection) -> Connection:
    plant_labels(connection)
    plant_batch(connection, "b1", "apple", outcomes=["accepted", "blurry", "truncated", "exact_duplicates", "accepted"])
    return connection


def submission_id(connection: Connection, position: int, batch_key: str = "b1") -> int:
    found = connection.scalar(
        text(
            "select submissions.id from submissions join batches on batches.id = batch_id"
            " where key = :batch_key and position = :position"
        ),
        {"batch_key": batch_key, "position": position},
    )
    assert isinstance(found, int)
    return found


def image_id(connection: Connection, position: int, batch_key: str = "b1") -> int:
    given = {"id": submission_id(connection, position, batch_key)}
    found = connection.scalar(text("select image_id from submissions where id = :id"), given)
    assert isinstance(found, int)
    return found


def change(connection: Connection, position: int, status: str, reason: str | None = None, cause: str = "redecide") -> int:
    changes = [DecisionChange(submission_id(connection, position), status, reason)]
    return change_decisions(connection, changes=changes, cause=cause, detail="a test")


def counts(connection: Connection, batch_key: str = "b1") -> tuple[int, int, int]:
    batch = batch_by_key(connection, batch_key)
    assert batch.submitted_count == batch.accepted_count + batch.rejected_count + batch.review_count
    return (batch.accepted_count, batch.rejected_count, batch.review_count)


def seen(connection: Connection) -> set[int]:
    """Return the pictures that are seen, after making sure that the kept counts are theirs."""
    assert recount(connection) == []
    pictures = gallery(connection, label_id=label_by_code(connection, "apple").id)
    assert label_by_code(connection, "food").subtree_images == len(pictures)
    return {picture.image_id for picture in pictures}


def current_label(connection: Connection, position: int) -> tuple[str, str] | None:
    labels = labels_of(connection, image_id=image_id(connection, position))
    return next(((label.label_code, label.said_by) for label in labels if label.is_current), None)


def test_picture_that_comes_in_gets_its_suppliers_label_and_is_counted(planted: Connection) -> None:
    before = seen(planted)

    assert change(planted, 1, "accepted") == 1

    assert counts(planted) == (3, 2, 0)
    assert seen(planted) == {*before, image_id(planted, 1)}
    assert current_label(planted, 1) == ("apple", "supplier")
    supplier = ensure_supplier(planted, email="ada@example.org", display_name="Ada")
    said_by = planted.scalar(text("select user_id from image_labels where image_id = :id"), {"id": image_id(planted, 1)})
    assert said_by == supplier
    (past,) = decision_history(planted, submission_id=submission_id(planted, 1))
    assert (past.from_status, past.from_reason, past.to_status, past.to_reason) == ("rejected", "blurry", "accepted", None)
    assert (past.cause, past.detail) == ("redecide", "a test")


def test_picture_that_goes_out_and_comes_back_leaves_everything_as_it_was_but_the_history(planted: Connection) -> None:
    before, counted = seen(planted), counts(planted)

    assert change(planted, 0, "review", "label_agreement", cause="network") == 1
    assert counts(planted) == (1, 3, 1)
    assert seen(planted) == before - {image_id(planted, 0)}
    assert current_label(planted, 0) is None

    assert change(planted, 0, "accepted", cause="operator") == 1
    assert (seen(planted), counts(planted)) == (before, counted)
    assert len(labels_of(planted, image_id=image_id(planted, 0))) == 1
    history = decision_history(planted, submission_id=submission_id(planted, 0))
    assert [(past.from_status, past.to_status, past.cause) for past in history] == [
        ("accepted", "review", "network"),
        ("review", "accepted", "operator"),
    ]


def test_picture_that_somebody_else_labelled_comes_back_under_that_label(planted: Connection) -> None:
    of = image_id(planted, 0)
    planted.execute(update(image_labels).where(image_labels.c.image_id == of).values(is_current=False))
    pear = label_by_code(planted, "pear").id
    planted.execute(insert(image_labels).values(image_id=of, label_id=pear, said_by="operator"))
    recount(planted)

    change(planted, 0, "rejected", "dark")
    assert label_by_code(planted, "pear").own_images == 0
    change(planted, 0, "accepted")

    assert current_label(planted, 0) == ("pear", "operator")
    assert label_by_code(planted, "pear").own_images == 1
    assert recount(planted) == []


def test_change_to_what_a_submission_is_already_is_nothing(planted: Connection) -> None:
    change(planted, 1, "accepted")

    assert change(planted, 1, "accepted") == 0
    assert change(planted, 2, "rejected", "truncated") == 0
    assert change_decisions(planted, changes=[], cause="operator") == 0
    assert planted.scalar(text("select count(*) from decision_changes")) == 1


def test_change_of_the_reason_alone_moves_no_picture(planted: Connection) -> None:
    before, counted = seen(planted), counts(planted)

    assert change(planted, 1, "rejected", "dark") == 1

    assert (seen(planted), counts(planted)) == (before, counted)
    (past,) = decision_history(planted, submission_id=submission_id(planted, 1))
    assert (past.from_reason, past.to_reason) == ("blurry", "dark")


@pytest.mark.parametrize(("position", "status"), [(2, "accepted"), (3, "accepted"), (2, "review")])
def test_submission_without_a_picture_of_its_own_cannot_come_in(planted: Connection, position: int, status: str) -> None:
    with pytest.raises(ConflictError, match=f"no picture of number {position} of batch 'b1'"):
        change(planted, position, status, None if status == "accepted" else "label_agreement")
    assert counts(planted) == (2, 3, 0)


def test_copy_of_another_photograph_cannot_come_in_in_its_place(planted: Connection) -> None:
    plant_batch(planted, "b2", outcomes=["exact_duplicates"])
    copy = submission_id(planted, 0, "b2")
    planted.execute(
        text("update submissions set image_id = :image_id where id = :id"), {"image_id": image_id(planted, 1), "id": copy}
    )

    with pytest.raises(ConflictError, match=r"number 0 of batch 'b2'.*copies of other photographs"):
        change_decisions(planted, changes=[DecisionChange(copy, "accepted", None)], cause="operator")


def test_submission_of_a_pending_batch_is_intakes(planted: Connection) -> None:
    create_batch(planted, manifest=manifest_of("b2"))
    waiting = submission_id(planted, 0, "b2")

    with pytest.raises(ConflictError, match=r"batch 'b2' is pending.*Run intake"):
        change_decisions(planted, changes=[DecisionChange(waiting, "rejected", "dark")], cause="redecide")


@pytest.mark.parametrize(
    ("given", "cause", "error", "message"),
    [
        ([("accepted", None)], "chance", InvalidInputError, "'chance' is no cause"),
        ([("pending", None)], "operator", InvalidInputError, "'pending' is no decision"),
        ([("accepted", "dark")], "operator", InvalidInputError, "'accepted' does not go with the reason 'dark'"),
        ([("rejected", None)], "operator", InvalidInputError, "'rejected' does not go with the reason None"),
        ([("rejected", "ugly")], "operator", InvalidInputError, "the reason 'ugly'"),
        ([("accepted", None), ("rejected", "dark")], "operator", InvalidInputError, "named twice"),
    ],
)
def test_change_that_makes_no_sense_is_refused(
    planted: Connection, given: list[tuple[str, str | None]], cause: str, error: type[HubError], message: str
) -> None:
    of = submission_id(planted, 0)
    with pytest.raises(error, match=message):
        change_decisions(planted, changes=[DecisionChange(of, *change) for change in given], cause=cause)


def test_change_of_an_unknown_submission_is_refused(planted: Connection) -> None:
    with pytest.raises(NotFoundError, match="no submission with the id 999999999"):
        change_decisions(planted, changes=[DecisionChange(999_999_999, "accepted", None)], cause="operator")


def test_changes_by_many_at_once_neither_deadlock_nor_lose_a_count(hub_of: HubOf) -> None:
    states = [("accepted", None), ("rejected", "dark"), ("review", "label_agreement")]
    with hub_of() as hub:
        with hub.engine.begin() as connection:
            plant_labels(connection)
            for key, label in (("b1", "apple"), ("b2", "pear"), ("b3", "apple")):
                plant_batch(connection, key, label, outcomes=["accepted", "blurry", "accepted"])
            ids = connection.execute(text("select id from submissions")).scalars().all()

        def write(seed: int) -> None:
            order = random.Random(seed)
            for _ in range(15):
                changes = [DecisionChange(of, *order.choice(states)) for of in order.sample(list(ids), 5)]
                with hub.engine.begin() as connection:
                    change_decisions(connection, changes=changes, cause="operator")

        raised = run_together(*(lambda seed=seed: write(seed) for seed in range(5)))

        with hub.engine.begin() as connection:
            assert raised == []
            assert recount(connection) == []
            for key in ("b1", "b2", "b3"):
                found = connection.execute(
                    text(
                        "select count(*) filter (where submissions.status = 'accepted'),"
                        " count(*) filter (where submissions.status = 'rejected'),"
                        " count(*) filter (where submissions.status = 'review')"
                        " from submissions join batches on batches.id = batch_id where key = :key"
                    ),
                    {"key": key},
                ).one()
                assert counts(connection, key) == tuple(found)
            labelled = connection.scalar(text("select count(*) from image_labels where is_current"))
            assert labelled == connection.scalar(text("select count(*) from submissions where status = 'accepted'"))
