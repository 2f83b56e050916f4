"""Whose run comes next, what an account may ask for, and that several who take and ask at once get one each."""

import threading
from collections import Counter

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.training import cancel_run, finish_run, take_run
from deep_images_hub.catalogue.training_quotas import check_room, runs_before, use_of
from deep_images_hub.errors import TooManyRequestsError
from deep_images_hub.training_quota import Quota
from tests.integration.catalogue.training_runs import plant_version, request, take, user


@pytest.fixture
def version_id(connection: Connection) -> int:
    return plant_version(connection)


def test_runs_are_taken_from_who_has_fewest_under_way_then_oldest(connection: Connection, version_id: int) -> None:
    cleo, bo = user(connection, "cleo"), user(connection, "bo")
    owners = {
        request(connection, version_id, user_id): name for user_id, name in [(cleo, "c1"), (cleo, "c2"), (cleo, "c3"), (bo, "b1")]
    }
    owners[request(connection, version_id, None)] = "n1"
    owners[request(connection, version_id, None)] = "n2"

    assert [owners[take(connection).id] for _ in range(6)] == ["c1", "b1", "n1", "c2", "n2", "c3"]


def test_runs_taken_by_several_at_once_go_to_one_each(hub) -> None:
    with hub.engine.begin() as connection:
        version_id = plant_version(connection)
        for _ in range(12):
            request(connection, version_id)
    taken: list[int] = []
    start = threading.Barrier(4)

    def work(owner: str) -> None:
        start.wait()
        while True:
            with hub.engine.begin() as connection:
                run = take_run(connection, owner=owner, lease_s=60)
            if run is None:
                return
            taken.append(run.id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # One that passes over a locked run and finds no other leaves early; whoever holds the lock takes the rest.
    assert Counter(taken).most_common(1)[0][1] == 1
    assert len(taken) == 12


def test_run_that_another_is_just_taking_is_passed_over_without_waiting(hub) -> None:
    with hub.engine.begin() as connection:
        version_id = plant_version(connection)
        first, second = request(connection, version_id), request(connection, version_id)

    with hub.engine.begin() as one, hub.engine.begin() as other:
        assert take(one, "w1").id == first
        assert take(other, "w2").id == second
        with hub.engine.begin() as third:
            assert take_run(third, owner="w3", lease_s=60) is None


def test_time_that_a_run_took_counts_for_its_account_and_lets_others_go_first(connection: Connection, version_id: int) -> None:
    heavy, light = user(connection, "heavy"), user(connection, "light")
    request(connection, version_id, heavy)
    run = take(connection)
    connection.execute(text("update training_runs set taken_at = now() - interval '2 hours'"))
    assert round(use_of(connection, heavy).minutes) == 120
    finish_run(connection, run_id=run.id, owner="w1", status="succeeded", message="")
    waiting = [request(connection, version_id, heavy), request(connection, version_id, light)]

    assert (round(use_of(connection, heavy).minutes), use_of(connection, heavy).open_runs) == (120, 1)
    assert [take(connection).id for _ in range(2)] == waiting[::-1]
    connection.execute(text("update training_runs set finished_at = now() - interval '25 hours' where id = :id"), {"id": run.id})
    assert use_of(connection, heavy).minutes < 1


def test_runs_before_says_in_which_turn_runs_are_taken(connection: Connection, version_id: int) -> None:
    cleo, bo = user(connection, "cleo"), user(connection, "bo")
    queued = [request(connection, version_id, user_id) for user_id in (cleo, cleo, cleo, bo, None)]

    said = {run_id: runs_before(connection, run_id) for run_id in queued}

    taken = [take(connection).id for _ in queued]
    assert sorted(queued, key=lambda run_id: said[run_id] or 0) == taken
    assert sorted(said.values()) == [0, 1, 2, 3, 4]
    assert runs_before(connection, queued[0]) is None


def test_quota_is_checked_by_runs_and_by_minutes(connection: Connection, version_id: int) -> None:
    quinn = user(connection, "quinn")
    quota = Quota(open_runs=2, minutes=30)
    request(connection, version_id, quinn)
    check_room(connection, user_id=quinn, quota=quota)
    request(connection, version_id, quinn)

    with pytest.raises(TooManyRequestsError, match=r"2 training runs that have not ended.*2 at once.*cancel one"):
        check_room(connection, user_id=quinn, quota=quota)
    check_room(connection, user_id=quinn, quota=None)

    run = take(connection)
    connection.execute(text("update training_runs set taken_at = now() - interval '31 minutes' where id = :id"), {"id": run.id})
    cancel_run(connection, run_id=run.id)
    with pytest.raises(TooManyRequestsError, match=r"took 31 minutes within the last 24 hours.*may have 30"):
        check_room(connection, user_id=quinn, quota=quota)


def test_quota_lets_of_two_requests_at_once_only_one_be_the_last(hub) -> None:
    with hub.engine.begin() as connection:
        version_id, quinn = plant_version(connection), user(connection, "quinn")
    start, refused = threading.Barrier(3), []

    def ask() -> None:
        start.wait()
        try:
            with hub.engine.begin() as connection:
                check_room(connection, user_id=quinn, quota=Quota(open_runs=1, minutes=30))
                request(connection, version_id, quinn)
        except TooManyRequestsError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 2


def test_runs_of_several_accounts_are_taken_in_turn_by_several_takers(hub) -> None:
    with hub.engine.begin() as connection:
        version_id = plant_version(connection)
        many, few = user(connection, "many"), user(connection, "few")
        for _ in range(8):
            request(connection, version_id, many)
        for _ in range(2):
            request(connection, version_id, few)
    taken: list[int | None] = []
    start = threading.Barrier(2)

    def work(owner: str) -> None:
        start.wait()
        for _ in range(2):
            with hub.engine.begin() as connection:
                run = take_run(connection, owner=owner, lease_s=60)
            assert run is not None
            taken.append(run.requested_by)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Two that look at the same moment may both see an account with nothing under way: one run more at most.
    assert 1 <= Counter(taken)[few] <= 2
