"""What people decide on pictures in review: what follows from it, taking it back, and two people at one picture."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue import reviews
from deep_images_hub.catalogue.batch_reports import file_reports
from deep_images_hub.catalogue.decisions import decision_history, why_rejected
from deep_images_hub.catalogue.images import labels_of, verdicts_of
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.labels import label_by_code, label_by_words
from deep_images_hub.catalogue.reviews import ReviewFilter, WaitingPicture
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from tests.integration.catalogue.planting import plant_batch, plant_labels
from tests.integration.catalogue.test_decisions import change, counts, current_label, image_id, submission_id

if TYPE_CHECKING:
    from tests.conftest import HubOf

DOUBTED = "review:label_agreement"


def operator(connection: Connection, name: str = "Grace") -> int:
    return create_user(
        connection, email=f"{name.lower()}@example.org", display_name=name, role="operator", password="correct horse battery"
    ).id


@pytest.fixture
def planted(connection: Connection) -> Connection:
    """Two batches with three pictures in review: one that was accepted before a network doubted it, and two that never were."""
    plant_labels(connection)
    plant_batch(connection, "b1", "apple", outcomes=["accepted", "blurry", DOUBTED, "accepted"])
    plant_batch(connection, "b2", "pear", outcomes=[DOUBTED, "accepted"])
    change(connection, 0, "review", "label_agreement", cause="network")
    return connection


def waiting(connection: Connection, **wanted: str) -> list[WaitingPicture]:
    return reviews.waiting_pictures(connection, ReviewFilter(**wanted), limit=10)


def latest_change(connection: Connection, user_id: int) -> int:
    latest = reviews.latest_decision(connection, user_id=user_id)
    assert latest is not None
    return latest.change_id


def test_pictures_wait_oldest_first_and_are_read_on_after_one(planted: Connection) -> None:
    found = waiting(planted)

    assert [(picture.batch_key, picture.label_code) for picture in found] == [("b1", "apple"), ("b1", "apple"), ("b2", "pear")]
    assert reviews.waiting_count(planted) == 3
    after = reviews.waiting_pictures(planted, ReviewFilter(), after_submission_id=found[0].submission_id, limit=1)
    assert after == found[1:2]
    assert [(kind.label_code, kind.reason, kind.pictures) for kind in reviews.waiting_kinds(planted)] == [
        ("apple", "label_agreement", 2),
        ("pear", "label_agreement", 1),
    ]


@pytest.mark.parametrize(
    ("wanted", "pictures"),
    [
        ({"label_code": "apple"}, 2),
        ({"batch_key": "b2"}, 1),
        ({"reason": "label_agreement", "label_code": "pear"}, 1),
        ({"reason": "dark"}, 0),
        ({"label_code": "'; drop table labels; --"}, 0),
    ],
)
def test_pictures_are_found_by_label_reason_and_batch(planted: Connection, wanted: dict[str, str], pictures: int) -> None:
    assert len(waiting(planted, **wanted)) == pictures


def test_accepted_picture_has_its_label_again_and_a_verdict_that_says_who(planted: Connection) -> None:
    grace = operator(planted)

    reviews.accept(planted, submission_id=submission_id(planted, 0), user_id=grace)

    assert counts(planted) == (2, 1, 1)
    assert current_label(planted, 0) == ("apple", "supplier")
    assert recount(planted) == []
    (verdict,) = [said for said in verdicts_of(planted, image_id=image_id(planted, 0)) if said.check_name == "review"]
    assert (verdict.outcome, verdict.score) == ("pass", None)
    last = decision_history(planted, submission_id=submission_id(planted, 0))[-1]
    assert (last.cause, last.user_name, last.label_name) == ("operator", "Grace", "Apple")
    said_by = planted.scalar(
        text(
            "select user_id from verdicts join decision_changes on decision_changes.id = decision_change_id"
            " where check_name = 'review'"
        )
    )
    assert said_by == grace


def test_relabelled_picture_has_the_new_label_and_keeps_the_old_one_in_its_history(planted: Connection) -> None:
    reviews.relabel(planted, submission_id=submission_id(planted, 0), label_code="pear", user_id=operator(planted))

    assert current_label(planted, 0) == ("pear", "operator")
    assert label_by_code(planted, "pear").own_images == 2
    assert label_by_code(planted, "apple").own_images == 1
    assert recount(planted) == []
    labels = labels_of(planted, image_id=image_id(planted, 0))
    assert [(label.label_code, label.said_by, label.is_current) for label in labels] == [
        ("pear", "operator", True),
        ("apple", "supplier", False),
    ]


def test_refused_picture_says_why_and_is_seen_nowhere(planted: Connection) -> None:
    of = submission_id(planted, 2)

    reviews.reject(planted, submission_id=of, reason="wrong_label", user_id=operator(planted))

    assert counts(planted) == (1, 2, 1)
    assert current_label(planted, 2) is None
    key = planted.scalar(text("select object_key from submissions where id = :id"), {"id": of})
    why = why_rejected(planted, object_key=key)
    assert (why.status, why.reason, why.cause) == ("rejected", "wrong_label", "operator")
    assert why.verdicts[0].check_name in ("review", "decode")
    assert any(said.detail == "wrong_label: it shows something else than its label says" for said in why.verdicts)


def test_decision_that_is_taken_back_leaves_the_picture_waiting_as_it_was_and_both_in_the_history(planted: Connection) -> None:
    grace, before = operator(planted), waiting(planted)
    of = submission_id(planted, 0)
    reviews.relabel(planted, submission_id=of, label_code="pear", user_id=grace)

    assert reviews.take_back(planted, change_id=latest_change(planted, grace), user_id=grace) == of

    (again, *others) = waiting(planted)
    assert (again.submission_id, again.label_code, again.reason) == (of, "apple", "label_agreement")
    assert others == before[1:]
    assert (counts(planted), recount(planted)) == ((1, 1, 2), [])
    # Accepted now, it is what it was before somebody called it a pear.
    reviews.accept(planted, submission_id=of, user_id=grace)
    assert current_label(planted, 0) == ("apple", "supplier")
    history = decision_history(planted, submission_id=of)
    assert [(past.to_status, past.label_name) for past in history] == [
        ("review", "Apple"),
        ("accepted", "Pear"),
        ("review", "Pear"),
        ("accepted", "Apple"),
    ]
    said = planted.execute(text("select outcome from verdicts where check_name = 'review' order by id")).scalars().all()
    assert said == ["pass", "flag", "pass"]


def test_picture_that_was_relabelled_and_is_doubted_again_comes_back_under_the_new_label(planted: Connection) -> None:
    grace, of = operator(planted), submission_id(planted, 0)
    reviews.relabel(planted, submission_id=of, label_code="pear", user_id=grace)

    reviews.put_into_review(planted, submission_id=of, user_id=grace)

    assert waiting(planted)[0].label_code == "pear"
    reviews.accept(planted, submission_id=of, user_id=grace)
    assert current_label(planted, 0) == ("pear", "operator")
    assert recount(planted) == []


def judge(connection: Connection, of: int, check_name: str, outcome: str, score: float) -> None:
    connection.execute(
        text(
            "insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome, detail)"
            " values (:of, :check_name, 2, :score, 0.2, :outcome, 'by a check')"
        ),
        {"of": of, "check_name": check_name, "score": score, "outcome": outcome},
    )


def test_picture_that_somebody_doubts_waits_without_the_score_of_a_network_that_did_not(planted: Connection) -> None:
    of = submission_id(planted, 3)
    judge(planted, of, "label_agreement", "pass", 0.9)

    reviews.put_into_review(planted, submission_id=of, user_id=operator(planted))

    (picture,) = [picture for picture in waiting(planted) if picture.submission_id == of]
    assert (picture.score, picture.detail) == (None, "somebody says that its label is wrong")


def test_report_says_what_an_operator_found_and_not_what_a_check_let_pass(planted: Connection) -> None:
    of = submission_id(planted, 0)
    reviews.reject(planted, submission_id=of, reason="blurry", user_id=operator(planted))
    # As another threshold leaves it, which changes no operator's decision.
    judge(planted, of, "blurry", "pass", 0.9)

    told = file_reports(planted, batch_key="b1", after_position=-1, limit=1)[0]

    assert (told.reason, told.score, told.detail) == ("blurry", None, "blurry: blurred")


def test_takedown_is_no_decision_to_be_taken_back(planted: Connection) -> None:
    grace = operator(planted)
    reviews.accept(planted, submission_id=submission_id(planted, 0), user_id=grace)
    decided = latest_change(planted, grace)

    reviews.refuse_as_taken_down(planted, submission_id=submission_id(planted, 2), why="people", user_id=grace)

    assert latest_change(planted, grace) == decided


def test_decisions_are_taken_back_one_after_another(planted: Connection) -> None:
    grace = operator(planted)
    of = [picture.submission_id for picture in waiting(planted)]
    reviews.accept(planted, submission_id=of[0], user_id=grace)
    reviews.reject(planted, submission_id=of[1], reason="blurry", user_id=grace)

    backwards = [reviews.take_back(planted, change_id=latest_change(planted, grace), user_id=grace) for _ in range(2)]

    assert backwards == [of[1], of[0]]
    assert reviews.latest_decision(planted, user_id=grace) is None
    assert reviews.waiting_count(planted) == 3


def test_second_decision_on_a_picture_is_refused_and_says_who_was_first(planted: Connection) -> None:
    grace, ada = operator(planted), operator(planted, "Linus")
    of = submission_id(planted, 0)
    reviews.accept(planted, submission_id=of, user_id=grace)
    first = latest_change(planted, grace)

    with pytest.raises(ConflictError, match="not in review any more: Grace accepted it"):
        reviews.reject(planted, submission_id=of, reason="blurry", user_id=ada)
    with pytest.raises(NotFoundError, match="no decision of yours"):
        reviews.take_back(planted, change_id=first, user_id=ada)

    change(planted, 0, "rejected", "dark")
    with pytest.raises(ConflictError, match="no longer stands: a new threshold refused it"):
        reviews.take_back(planted, change_id=first, user_id=grace)


def test_two_at_once_decide_once(hub_of: HubOf) -> None:
    with hub_of() as hub:
        with hub.engine.begin() as connection:
            plant_labels(connection)
            plant_batch(connection, "b1", "apple", outcomes=["accepted", DOUBTED])
            people = [operator(connection, name) for name in ("Grace", "Linus")]
            of = submission_id(connection, 1)
        outcomes: list[str] = []
        together = threading.Barrier(2)

        def decide(user_id: int) -> None:
            together.wait()
            try:
                with hub.engine.begin() as connection:
                    reviews.accept(connection, submission_id=of, user_id=user_id)
                outcomes.append("decided")
            except ConflictError:
                outcomes.append("told")

        threads = [threading.Thread(target=decide, args=(user_id,)) for user_id in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with hub.engine.begin() as connection:
            assert sorted(outcomes) == ["decided", "told"]
            assert len(decision_history(connection, submission_id=of)) == 1
            assert (counts(connection), recount(connection)) == ((2, 0, 0), [])


def test_picture_that_nobody_may_decide_on_is_refused_with_what_is_expected(planted: Connection) -> None:
    grace, of = operator(planted), submission_id(planted, 0)

    with pytest.raises(InvalidInputError, match=r"'ugly' is no reason .* Expected one of wrong_label"):
        reviews.reject(planted, submission_id=of, reason="ugly", user_id=grace)
    with pytest.raises(NotFoundError, match="code 'mango'"):
        reviews.relabel(planted, submission_id=of, label_code="mango", user_id=grace)
    with pytest.raises(NotFoundError, match="no submission with the id 999"):
        reviews.accept(planted, submission_id=999_999, user_id=grace)
    with pytest.raises(ConflictError, match="as intake decided"):
        reviews.accept(planted, submission_id=submission_id(planted, 1), user_id=grace)
    assert reviews.waiting_count(planted) == 3


@pytest.mark.parametrize(("words", "code"), [("apple", "apple"), ("PEAR", "pear"), (" hell's  kitchen ", "hells-kitchen")])
def test_label_is_found_by_its_name_or_code(planted: Connection, words: str, code: str) -> None:
    assert label_by_words(planted, words).code == code


def test_label_that_is_not_clear_says_what_may_be_meant(planted: Connection) -> None:
    with pytest.raises(ConflictError, match="Several labels are called 'Crane': crane1, crane2"):
        label_by_words(planted, "crane")
    with pytest.raises(NotFoundError, match=r"Is one of these meant: Apple \(apple\)"):
        label_by_words(planted, "appl")
    with pytest.raises(NotFoundError, match="Look for it under Labels"):
        label_by_words(planted, "%")
