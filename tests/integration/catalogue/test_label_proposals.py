"""Labels that people miss: accepted under a parent, recognised as one that is here, or refused; and who proposed it is told."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.demands import wanted
from deep_images_hub.catalogue.label_proposals import (
    accept_proposal,
    merge_proposal,
    proposals_of_user,
    propose_label,
    refuse_proposal,
    waiting_proposal_count,
    waiting_proposals,
)
from deep_images_hub.catalogue.labels import ancestors, find_labels, label_by_code
from deep_images_hub.catalogue.notices import end_notice, take_notice
from deep_images_hub.demand.messages import DecidedProposal
from deep_images_hub.errors import ConflictError, InvalidInputError
from tests.integration.catalogue.planting import plant_batch, plant_labels
from tests.integration.catalogue.test_demands import person


@pytest.fixture
def people(connection: Connection) -> dict[str, int]:
    plant_labels(connection)
    return {name: person(connection, name) for name in ("ann", "bob", "operator")}


def notices(connection: Connection) -> list[DecidedProposal]:
    found = []
    while (notice := take_notice(connection)) is not None:
        assert isinstance(notice, DecidedProposal)
        end_notice(connection, notice_id=notice.notice_id, status="sent")
        found.append(notice)
    return found


def test_accepted_label_joins_the_graph_and_what_was_asked_of_it_is_wanted(connection, people) -> None:
    assert propose_label(connection, user_id=people["ann"], name="  Pink  Lady ", target_images=200)
    assert not propose_label(connection, user_id=people["ann"], name="pink lady")
    assert propose_label(connection, user_id=people["bob"], name="Pink lady", target_images=500)
    first, second = waiting_proposals(connection, limit=5)
    assert (first.name, second.user_name, waiting_proposal_count(connection)) == ("Pink Lady", "Bob", 2)

    label = accept_proposal(
        connection, proposal_id=first.id, user_id=people["operator"], name="Pink Lady", parent=label_by_code(connection, "apple")
    )
    assert [above.code for above in ancestors(connection, label_id=label.id)][-1] == "apple"
    assert "food" in {above.code for above in ancestors(connection, label_id=label.id)}
    assert waiting_proposals(connection, limit=5) == []
    assert {(found.label_id, found.user_name, found.target_images) for found in wanted(connection, limit=5)} == {
        (label.id, "Ann", 200),
        (label.id, "Bob", 500),
    }
    assert [(told.to_name, told.status, told.label_id) for told in notices(connection)] == [
        ("Ann", "accepted", label.id),
        ("Bob", "merged", label.id),
    ]
    # A picture of it is one of everything above it, as of every label.
    plant_batch(connection, "b1", label.code)
    assert label_by_code(connection, "food").subtree_images == 1


def test_merged_proposal_makes_the_label_found_by_its_name_too(connection, people, monkeypatch) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    propose_label(connection, user_id=people["ann"], name="Pomme", target_images=30)
    (proposal,) = waiting_proposals(connection, limit=5)
    apple = label_by_code(connection, "apple")
    # Who asks for as much as anybody may does not keep an operator from answering.
    monkeypatch.setattr("deep_images_hub.catalogue.demands.MAX_OPEN_DEMANDS", 0)
    merge_proposal(connection, proposal_id=proposal.id, user_id=people["operator"], label=apple)

    assert [found.code for found in find_labels(connection, text="pomme")] == ["apple"]
    assert wanted(connection, limit=5) == []
    (kept,) = proposals_of_user(connection, user_id=people["ann"], limit=5)
    assert (kept.status, kept.label_name) == ("merged", "Apple")


def test_refusal_says_why_and_nobody_decides_twice(connection, people) -> None:
    propose_label(connection, user_id=people["ann"], name="Left shoe", parent_id=label_by_code(connection, "food").id)
    (proposal,) = waiting_proposals(connection, limit=5)
    assert proposal.parent_name == "Food"
    with pytest.raises(InvalidInputError, match="Say why"):
        refuse_proposal(connection, proposal_id=proposal.id, user_id=people["operator"], reason=" ")
    refuse_proposal(connection, proposal_id=proposal.id, user_id=people["operator"], reason="Shoes come in pairs.")
    with pytest.raises(ConflictError, match="decided on 'Left shoe' before: refused"):
        merge_proposal(connection, proposal_id=proposal.id, user_id=people["operator"], label=label_by_code(connection, "apple"))
    (told,) = notices(connection)
    assert (told.status, told.answer, told.label_id) == ("refused", "Shoes come in pairs.", None)


def test_name_that_a_sibling_has_or_nobody_can_read_is_refused_and_one_that_is_taken_elsewhere_is_not(connection, people) -> None:
    for name in ("", " ", "…", "a" * 201, "A\u202eB"):
        with pytest.raises(InvalidInputError, match="cannot be a label's name"):
            propose_label(connection, user_id=people["ann"], name=name)
    propose_label(connection, user_id=people["ann"], name="car")
    (proposal,) = waiting_proposals(connection, limit=5)
    fruit = label_by_code(connection, "fruit")
    with pytest.raises(ConflictError, match="Under Fruit there is a label 'pear' already"):
        accept_proposal(connection, proposal_id=proposal.id, user_id=people["operator"], name="pear", parent=fruit)
    label = accept_proposal(connection, proposal_id=proposal.id, user_id=people["operator"], name="car", parent=fruit)
    assert (label.name, label.code) == ("car", "car (Fruit)")


def test_account_has_few_proposals_waiting(connection, people, monkeypatch) -> None:
    monkeypatch.setattr("deep_images_hub.catalogue.label_proposals.MAX_WAITING_PROPOSALS", 2)
    for name in ("One", "Two"):
        propose_label(connection, user_id=people["ann"], name=name)
    with pytest.raises(ConflictError, match="2 labels that you proposed wait"):
        propose_label(connection, user_id=people["ann"], name="Three")
    assert connection.scalar(text("select count(*) from label_proposals")) == 2
