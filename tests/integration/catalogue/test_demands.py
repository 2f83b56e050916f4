"""What is wanted: asking, voting, taking back, meeting, and telling each person once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.demands import (
    ask_for,
    demanded_places_near,
    demands_of_user,
    settle_demands,
    take_vote_back,
    vote,
    wanted,
    withdraw,
)
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.notices import take_notice
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.catalogue.watches import stop_watching, watch
from deep_images_hub.cli.demo_demand import ask_for_more
from deep_images_hub.demand import rules
from deep_images_hub.errors import ConflictError, ForbiddenError, InvalidInputError
from deep_images_hub.mail import FolderPost
from deep_images_hub.telling import send_next_notice, settle
from tests.integration.catalogue.planting import plant_batch, plant_labels, plant_place
from tests.integration.catalogue.test_concurrent_counts import run_together, wait_until_one_waits


def person(connection: Connection, name: str) -> int:
    return create_user(connection, email=f"{name}@people.org", display_name=name.title(), role="supplier").id


def id_of(connection: Connection, code: str) -> int:
    return label_by_code(connection, code).id


def told(connection: Connection) -> set[str]:
    rows = connection.execute(text("select email from notices join users on users.id = user_id"))
    return {email.partition("@")[0] for email in rows.scalars()}


def check_votes_add_up(connection: Connection) -> None:
    differing = text(
        "select count(*) from demands where vote_count"
        " <> (select count(*) from demand_votes where demand_votes.demand_id = demands.id)"
    )
    assert connection.scalar(differing) == 0


@pytest.fixture
def people(connection: Connection) -> dict[str, int]:
    plant_labels(connection)
    return {name: person(connection, name) for name in ("ann", "bob", "cem")}


def test_asking_for_what_is_asked_for_gives_it_a_vote_and_for_more_makes_another(connection, people) -> None:
    apple = id_of(connection, "apple")
    first = ask_for(connection, label_id=apple, user_id=people["ann"], target_images=500, note=" red ones\r\n<b>please</b> ")
    assert first.outcome == "new"
    again = [ask_for(connection, label_id=apple, user_id=people[name], target_images=300) for name in ("bob", "bob", "ann")]
    assert [(asked.demand_id, asked.outcome) for asked in again] == [
        (first.demand_id, outcome) for outcome in ("voted", "repeated", "repeated")
    ]
    assert ask_for(connection, label_id=apple, user_id=people["bob"], target_images=900).outcome == "new"

    listed = wanted(connection, user_id=people["bob"], limit=10)
    assert [(found.target_images, found.vote_count, found.has_voted, found.note) for found in listed] == [
        (500, 1, True, "red ones\n<b>please</b>"),
        (900, 0, False, None),
    ]
    check_votes_add_up(connection)


def test_more_than_there_is_must_be_asked_for_and_not_too_many_things(connection, people, monkeypatch) -> None:
    plant_batch(connection, "b1", outcomes=["accepted"] * 3)
    fruit = id_of(connection, "fruit")
    with pytest.raises(ConflictError, match="3 pictures of Fruit are here already, and 3 were asked for"):
        ask_for(connection, label_id=fruit, user_id=people["ann"], target_images=3)
    for target in (0, -5, 100_001, "many", "٣", "1e3", ""):
        with pytest.raises(InvalidInputError, match="no number of pictures"):
            ask_for(connection, label_id=fruit, user_id=people["ann"], target_images=target)
    monkeypatch.setattr("deep_images_hub.catalogue.demands.MAX_OPEN_DEMANDS", 1)
    ask_for(connection, label_id=fruit, user_id=people["ann"], target_images=4)
    with pytest.raises(ConflictError, match="You ask for 1 things already"):
        ask_for(connection, label_id=fruit, user_id=people["ann"], target_images=5)


def test_votes_are_rows_and_add_up(connection, people) -> None:
    demand = ask_for(connection, label_id=id_of(connection, "apple"), user_id=people["ann"], target_images=5).demand_id
    assert [vote(connection, demand_id=demand, user_id=people[name]) for name in ("bob", "bob", "cem", "ann")] == [
        True,
        False,
        True,
        False,
    ]
    assert [take_vote_back(connection, demand_id=demand, user_id=people["bob"]) for _ in range(2)] == [True, False]
    (found,) = wanted(connection, limit=10)
    assert found.vote_count == 1
    check_votes_add_up(connection)


def test_demand_that_its_asker_takes_back_passes_to_who_voted_and_then_ends(connection, people) -> None:
    demand = ask_for(
        connection, label_id=id_of(connection, "apple"), user_id=people["ann"], target_images=5, note="mine"
    ).demand_id
    vote(connection, demand_id=demand, user_id=people["bob"])
    with pytest.raises(ForbiddenError):
        withdraw(connection, demand_id=demand, user_id=people["bob"])
    assert withdraw(connection, demand_id=demand, user_id=people["ann"]) == "passed on"
    (found,) = wanted(connection, limit=10)
    assert (found.user_name, found.vote_count, found.note) == ("Bob", 0, None)
    check_votes_add_up(connection)

    assert withdraw(connection, demand_id=demand, user_id=people["bob"]) == "withdrawn"
    assert wanted(connection, limit=10) == []
    for late in (vote, take_vote_back, withdraw):
        with pytest.raises(ConflictError, match="wanted no longer"):
            late(connection, demand_id=demand, user_id=people["cem"])
    assert [kept.status for kept in demands_of_user(connection, user_id=people["bob"], limit=5)] == ["withdrawn"]


def test_operator_closes_a_demand_whoever_voted_for_it(connection, people) -> None:
    demand = ask_for(connection, label_id=id_of(connection, "apple"), user_id=people["ann"], target_images=5).demand_id
    vote(connection, demand_id=demand, user_id=people["bob"])
    assert withdraw(connection, demand_id=demand, user_id=people["cem"], is_operator=True) == "withdrawn"


def test_demand_is_met_by_pictures_of_what_is_under_its_label_and_everybody_is_told_once(connection, people) -> None:
    fruit = id_of(connection, "fruit")
    dee = person(connection, "dee")
    demand = ask_for(connection, label_id=fruit, user_id=people["ann"], target_images=3).demand_id
    more = ask_for(connection, label_id=fruit, user_id=dee, target_images=100).demand_id
    vote(connection, demand_id=demand, user_id=people["bob"])
    for name in ("bob", "cem"):
        watch(connection, label_id=fruit, user_id=people[name])
        watch(connection, label_id=fruit, user_id=people[name])
    plant_batch(connection, "b1", "apple", outcomes=["accepted", "accepted", "blurry"])
    assert settle_demands(connection) == 0
    plant_batch(connection, "b2", "pear", outcomes=["accepted", "accepted"])
    assert [settle_demands(connection) for _ in range(2)] == [1, 0]

    assert told(connection) == {"ann", "bob", "cem"}
    (met,) = demands_of_user(connection, user_id=people["ann"], limit=5)
    assert (met.status, met.have_images, met.progress.missing) == ("met", 4, 0)
    (left,) = wanted(connection, limit=10)
    assert (left.id, left.progress.missing, left.progress.share) == (more, 96, 0.04)


def test_nobody_is_told_who_stopped_watching_or_is_closed(connection, people) -> None:
    apple = id_of(connection, "apple")
    ask_for(connection, label_id=apple, user_id=people["ann"], target_images=1)
    for name in ("bob", "cem"):
        watch(connection, label_id=apple, user_id=people[name])
    stop_watching(connection, label_id=apple, user_id=people["bob"])
    connection.execute(text("update users set is_active = false where id = :id"), {"id": people["cem"]})
    plant_batch(connection, "b1")
    settle_demands(connection)
    assert told(connection) == {"ann"}


def test_demand_of_a_place_counts_accepted_photographs_from_around_it(connection, people) -> None:
    # 0.4 degrees of latitude are 44 km, 0.5 are 56.
    here, near, far = (
        plant_place(connection, city, latitude=latitude) for city, latitude in (("Here", 50.0), ("Near", 50.4), ("Far", 50.5))
    )
    fruit = id_of(connection, "fruit")
    plant_batch(connection, "b0", place_id=near)
    ask_for(connection, label_id=fruit, user_id=people["ann"], target_images=4, place_id=here)
    (found,) = wanted(connection, limit=10)
    assert (found.city, found.have_images) == ("Here", 1)

    plant_batch(connection, "b1", "apple", outcomes=["accepted", "accepted", "blurry"], place_id=here)
    plant_batch(connection, "b2", "apple", outcomes=["accepted"] * 5, place_id=far)
    plant_batch(connection, "b3", "pear", outcomes=["accepted"] * 5)
    plant_batch(connection, "b4", "car", outcomes=["accepted"] * 5, place_id=here)
    assert settle_demands(connection) == 0
    (found,) = wanted(connection, limit=10)
    assert found.have_images == 3

    plant_batch(connection, "b5", "pear", place_id=near)
    assert settle_demands(connection) == 1
    assert demands_of_user(connection, user_id=people["ann"], limit=1)[0].have_images == 4


def test_what_is_wanted_is_found_around_a_place(connection, people) -> None:
    here, near, far = (
        plant_place(connection, city, latitude=latitude) for city, latitude in (("Here", 50.0), ("Near", 50.4), ("Far", 53.0))
    )
    plant_place(connection, "Unwanted", latitude=50.1)
    apple = id_of(connection, "apple")
    for place_id in (here, near, far, None):
        ask_for(connection, label_id=apple, user_id=people["ann"], target_images=4, place_id=place_id)
    found = demanded_places_near(connection, latitude=50.0, longitude=13.4, radius_km=rules.AROUND_KM)
    assert {place_id: round(km) for place_id, km in found.items()} == {here: 0, near: 44}
    assert {demand.city for demand in wanted(connection, place_ids=list(found), limit=10)} == {"Here", "Near"}
    assert wanted(connection, place_ids=[], limit=10) == []


@pytest.mark.parametrize("order", rules.ORDERS)
def test_lists_go_on_where_they_ended_in_every_order(connection, people, order) -> None:
    for number, code in enumerate(("apple", "pear", "car", "wheel", "food")):
        asked = ask_for(connection, label_id=id_of(connection, code), user_id=people["ann"], target_images=10 + 5 * (number % 2))
        for name in ("bob", "cem")[: number % 3]:
            vote(connection, demand_id=asked.demand_id, user_id=people[name])
    whole = wanted(connection, order=order, limit=10)
    assert len(whole) == 5
    assert [found.key for found in whole] == sorted((found.key for found in whole), reverse=True)
    page, read = wanted(connection, order=order, limit=2), []
    while page:
        read += page
        page = wanted(connection, order=order, after=page[-1].cursor, limit=2)
    assert read == whole


def test_demo_wants_more_of_what_is_short_and_asks_once(connection, people) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    plant_batch(connection, "b2", "car")
    for _ in range(2):
        ask_for_more(connection, user_ids=people)
    found = {demand.label_code: (demand.have_images, demand.target_images) for demand in wanted(connection, limit=10)}
    assert found["car"] == (1, 2)
    assert found["apple"] == (3, 6)
    assert len(found) == 4
    check_votes_add_up(connection)


def test_vote_at_the_moment_when_it_is_met_is_told_of(hub_of: Callable) -> None:
    with hub_of() as hub:
        with hub.engine.begin() as connection:
            plant_labels(connection)
            ann, bob = person(connection, "ann"), person(connection, "bob")
            asked = ask_for(connection, label_id=id_of(connection, "apple"), user_id=ann, target_images=1)
            plant_batch(connection, "b1")
        settling = threading.Thread(target=settle, args=(hub.engine,))
        with hub.engine.begin() as connection:
            assert vote(connection, demand_id=asked.demand_id, user_id=bob)
            settling.start()
            wait_until_one_waits(hub.engine)
        settling.join()
        with hub.engine.begin() as connection:
            assert told(connection) == {"ann", "bob"}


def test_processes_at_once_meet_a_demand_once_and_send_each_mail_once(hub_of: Callable, tmp_path) -> None:
    with hub_of() as hub:
        with hub.engine.begin() as connection:
            plant_labels(connection)
            apple = id_of(connection, "apple")
            ann, bob = person(connection, "ann"), person(connection, "bob")
            demand = ask_for(connection, label_id=apple, user_id=ann, target_images=1).demand_id
            vote(connection, demand_id=demand, user_id=bob)
            plant_batch(connection, "b1")
        assert run_together(*[lambda: settle(hub.engine)] * 4) == []
        with hub.engine.begin() as connection:
            assert told(connection) == {"ann", "bob"}
        # One dies after it took a notice: nobody sends that again.
        with hub.engine.begin() as connection:
            lost = take_notice(connection)
        post = FolderPost(tmp_path)
        assert run_together(*[lambda: send_next_notice(hub.engine, post, hub.settings)] * 3) == []
        (file,) = tmp_path.iterdir()
        assert lost is not None
        assert file.name != f"notice-{lost.notice_id}.eml"
        assert "Subject: 1 picture of Apple: what was wanted is there" in file.read_text()
        with hub.engine.begin() as connection:
            statuses = connection.execute(text("select status from notices order by status")).scalars().all()
        assert statuses == ["sending", "sent"]
