import threading
from collections import Counter

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.datasets import candidates, save_version
from deep_images_hub.catalogue.models import ModelFile, model_by_id, models, save_model
from deep_images_hub.catalogue.training import (
    TrainingRun,
    add_event,
    cancel_run,
    events_of,
    fail_run,
    finish_run,
    renew_lease,
    request_run,
    run_by_id,
    runs,
    take_run,
)
from deep_images_hub.catalogue.training_history import changes_of
from deep_images_hub.catalogue.training_quotas import check_room, runs_before, use_of
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.datasets.split import SplitCandidate
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError, TooManyRequestsError
from deep_images_hub.training import MOST_TRIES
from deep_images_hub.training_quota import Quota
from tests.integration.catalogue.planting import count_rows, plant_batch, plant_labels


def plant_version(connection: Connection) -> int:
    plant_labels(connection)
    plant_batch(connection, "b1", outcomes=["accepted"] * 3)
    recipe = Recipe(label_codes=("food",))
    pictures = [SplitCandidate(candidate, "train", "g") for candidate in candidates(connection, recipe=recipe)]
    return save_version(connection, recipe=recipe, digest="d" * 64, name="fruit", created_by=None, pictures=pictures).id


@pytest.fixture
def version_id(connection: Connection) -> int:
    return plant_version(connection)


def request(connection: Connection, version_id: int, user_id: int | None = None) -> int:
    return request_run(connection, version_id=version_id, requested_by=user_id, backbone="vgg16", workers=2).id


def user(connection: Connection, name: str) -> int:
    return create_user(connection, email=f"{name}@example.org", display_name=name, role="premium").id


def lose_lease(connection: Connection, run_id: int) -> None:
    connection.execute(text("update training_runs set lease_until = now() - interval '1 s' where id = :id"), {"id": run_id})


def take(connection: Connection, owner: str = "w1") -> TrainingRun:
    run = take_run(connection, owner=owner, lease_s=60)
    assert run is not None
    return run


def file_of(kind: str, key: str) -> ModelFile:
    return ModelFile(kind, key, "1" * 64, 7)


def test_take_run_from_an_empty_queue_is_none(connection: Connection) -> None:
    assert take_run(connection, owner="w1", lease_s=60) is None


def test_run_from_request_to_model(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    assert run_by_id(connection, run_id).status == "queued"

    taken = take(connection)
    assert (taken.id, taken.status, taken.attempt, taken.lease_owner) == (run_id, "running", 1, "w1")
    assert add_event(connection, run_id=run_id, attempt=1, stage="train", done=3, total=10, metrics={"loss": 0.5})
    assert add_event(connection, run_id=run_id, attempt=1, stage="train", done=4, total=10)
    model_id = save_model(
        connection,
        run_id=run_id,
        backbone="vgg16",
        weights="imagenet",
        label_codes=["apple", "hell's"],
        metrics={"accuracy": 0.75, "per_label": {"apple": 1.0}},
        files=[file_of("onnx", "o"), file_of("keras", "k")],
    )
    finish_run(connection, run_id=run_id, owner="w1", status="succeeded", message="Accuracy 75 %.")

    run = run_by_id(connection, run_id)
    assert (run.status, run.message, run.lease_owner) == ("succeeded", "Accuracy 75 %.", None)
    assert run.started_at is not None
    assert run.finished_at is not None
    first, second = events_of(connection, run_id=run_id)
    assert (first.stage, first.done, first.total, first.metrics) == ("train", 3, 10, {"loss": 0.5})
    assert events_of(connection, run_id=run_id, after_id=first.id) == [second]
    model = model_by_id(connection, model_id)
    assert (model.label_codes, model.metrics["per_label"], model.version_id) == (["apple", "hell's"], {"apple": 1.0}, version_id)
    assert [file.kind for file in model.files] == ["keras", "onnx"]
    assert models(connection) == [model]
    assert models(connection, before_id=model_id) == []
    assert take_run(connection, owner="w2", lease_s=60) is None


def test_save_model_of_a_later_attempt_takes_the_place_of_the_first(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    values = {
        "backbone": "vgg16",
        "weights": "scratch",
        "label_codes": ["a"],
        "metrics": {},
    }

    first = save_model(connection, run_id=run_id, files=[file_of("keras", "1/k"), file_of("onnx", "1/o")], **values)
    second = save_model(connection, run_id=run_id, files=[file_of("onnx", "2/o")], **values)

    assert first == second
    model = model_by_id(connection, first)
    assert model.files == (file_of("onnx", "2/o"),)
    with pytest.raises(NotFoundError, match=r"model\.onnx, not 'model\.keras'"):
        model.file_named("model.keras")


def test_runs_are_taken_from_who_has_fewest_under_way_then_oldest(connection: Connection, version_id: int) -> None:
    cleo, bo = user(connection, "cleo"), user(connection, "bo")
    owners = {
        request(connection, version_id, user_id): name for user_id, name in [(cleo, "c1"), (cleo, "c2"), (cleo, "c3"), (bo, "b1")]
    }
    owners[request(connection, version_id, None)] = "n1"
    owners[request(connection, version_id, None)] = "n2"

    assert [owners[take(connection).id] for _ in range(6)] == ["c1", "b1", "n1", "c2", "n2", "c3"]


def test_run_whose_lease_ran_out_is_taken_again_and_its_former_owner_refused(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    take(connection, "w1")
    assert take_run(connection, owner="w2", lease_s=60) is None
    lose_lease(connection, run_id)

    again = take(connection, "w2")

    assert (again.id, again.attempt, again.lease_owner) == (run_id, 2, "w2")
    assert not renew_lease(connection, run_id=run_id, owner="w1", lease_s=60)
    assert not add_event(connection, run_id=run_id, attempt=1, stage="train", done=1, total=2)
    assert count_rows(connection, "training_events") == 0
    with pytest.raises(ConflictError, match="lost by w1 and taken by w2"):
        finish_run(connection, run_id=run_id, owner="w1", status="succeeded", message="")
    assert renew_lease(connection, run_id=run_id, owner="w2", lease_s=60)


def test_lease_renewed_in_time_keeps_the_run(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    take(connection, "w1")
    lose_lease(connection, run_id)

    assert renew_lease(connection, run_id=run_id, owner="w1", lease_s=60)
    assert take_run(connection, owner="w2", lease_s=60) is None


def test_run_that_was_lost_too_often_fails_and_says_why(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    for attempt in range(MOST_TRIES["lost"]):
        assert take(connection, f"w{attempt}").attempt == attempt + 1
        lose_lease(connection, run_id)

    assert take_run(connection, owner="last", lease_s=60) is None
    run = run_by_id(connection, run_id)
    assert (run.status, run.attempt, run.failure) == ("failed", MOST_TRIES["lost"], "lost")
    assert run.message is not None
    assert f"Given up after {MOST_TRIES['lost']} tries" in run.message


def test_failures_of_other_kinds_leave_a_run_its_tries(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    for _ in range(MOST_TRIES["lost"]):
        assert fail(connection, take(connection), "outside")
        let_wait_end(connection)

    assert fail(connection, take(connection), "lost")

    run = run_by_id(connection, run_id)
    assert (run.status, run.attempt, run.failures) == ("queued", MOST_TRIES["lost"] + 1, MOST_TRIES["lost"] + 1)
    assert run.message == f"The store is away. Tried again now: try 2 of {MOST_TRIES['lost']}."


def test_run_that_gets_further_each_time_may_be_lost_as_often_as_it_likes(connection: Connection, version_id: int) -> None:
    run_id = request(connection, version_id)
    for epoch in range(2 * MOST_TRIES["lost"]):
        run = take(connection)
        for done in (epoch, epoch + 1):
            add_event(connection, run_id=run_id, attempt=run.attempt, stage="fine_tune", done=done, total=9)
        assert fail(connection, run, "lost")
    for _ in range(MOST_TRIES["lost"] - 1):
        run = take(connection)
        add_event(connection, run_id=run_id, attempt=run.attempt, stage="fine_tune", done=epoch + 1, total=9)
        is_tried_again = fail(connection, run, "lost")

    assert not is_tried_again
    assert run_by_id(connection, run_id).status == "failed"


def test_cancelled_run_is_neither_taken_nor_finished(connection: Connection, version_id: int) -> None:
    queued, running = request(connection, version_id), request(connection, version_id)
    cancel_run(connection, run_id=queued)
    assert take(connection).id == running
    cancel_run(connection, run_id=running)

    assert not renew_lease(connection, run_id=running, owner="w1", lease_s=60)
    assert take_run(connection, owner="w1", lease_s=60) is None
    with pytest.raises(ConflictError, match="cancelled cannot become succeeded"):
        finish_run(connection, run_id=running, owner="w1", status="succeeded", message="")
    with pytest.raises(ConflictError, match="cancelled cannot become cancelled"):
        cancel_run(connection, run_id=queued)


def test_run_that_cannot_be_says_why(connection: Connection, version_id: int) -> None:
    with pytest.raises(NotFoundError, match="no dataset version"):
        request(connection, -1)
    with pytest.raises(InvalidInputError, match="0 workers"):
        request_run(connection, version_id=version_id, requested_by=None, backbone="vgg16", workers=0)
    with pytest.raises(InvalidInputError, match="no training method 'magic'"):
        request_run(connection, version_id=version_id, requested_by=None, backbone="vgg16", workers=1, method="magic")
    for refused in (run_by_id, model_by_id):
        with pytest.raises(NotFoundError, match="with the number -1"):
            refused(connection, -1)
    with pytest.raises(NotFoundError, match="no training run"):
        cancel_run(connection, run_id=-1)


def test_runs_are_listed_with_their_counts_by_pages(connection: Connection, version_id: int) -> None:
    ada = user(connection, "o'ada")
    first, second = request(connection, version_id, ada), request(connection, version_id)

    listed = runs(connection)

    assert [run.id for run in listed] == [second, first]
    assert [(run.image_count, run.train_count, run.test_count, run.label_count) for run in listed] == [(3, 3, 0, 1)] * 2
    assert [(run.requester_name, run.version_name, run.model_id) for run in listed] == [
        (None, "fruit", None),
        ("o'ada", "fruit", None),
    ]
    assert [run.id for run in runs(connection, before_id=second)] == [first]
    assert [run.id for run in runs(connection, requested_by=ada)] == [first]


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


def fail(connection: Connection, run: TrainingRun, failure: str = "outside", *, first_wait_s: float = 30) -> bool:
    return fail_run(
        connection, run_id=run.id, owner="w1", failure=failure, message="The store is away.", first_wait_s=first_wait_s
    )


def let_wait_end(connection: Connection) -> None:
    connection.execute(text("update training_runs set not_before = now() - interval '1 s' where not_before is not null"))


def test_run_that_failed_for_outside_reasons_is_tried_again_later_and_later_then_given_up(
    connection: Connection, version_id: int
) -> None:
    run_id = request(connection, version_id)
    waits = []
    while fail(connection, take(connection)):
        assert take_run(connection, owner="w1", lease_s=60) is None, "before its time"
        waits.append(
            connection.execute(
                text("select round(extract(epoch from not_before - clock_timestamp())) from training_runs where id = :id"),
                {"id": run_id},
            ).scalar_one()
        )
        let_wait_end(connection)

    assert waits == [30, 60, 120, 240, 480, 960]
    run = run_by_id(connection, run_id)
    assert (run.status, run.failure, run.attempt, run.failures) == ("failed", "outside", 7, 7)
    assert run.message == "The store is away. Given up after 7 tries."
    changes = changes_of(connection, run_id=run_id)
    assert [change.status for change in changes] == ["queued", *["running", "queued"] * 6, "running", "failed"]
    assert changes[2].message == "The store is away. Tried again in 30 s: try 2 of 7."


@pytest.mark.parametrize("failure", ["unusable", "defect"])
def test_run_that_would_fail_again_is_not_tried_again(connection: Connection, version_id: int, failure: str) -> None:
    run_id = request(connection, version_id)

    assert not fail(connection, take(connection), failure)

    run = run_by_id(connection, run_id)
    assert (run.status, run.failure, run.message) == ("failed", failure, "The store is away.")


def test_run_that_waits_for_another_try_may_be_taken_by_its_number_or_cancelled(connection: Connection, version_id: int) -> None:
    one, other = request(connection, version_id), request(connection, version_id)
    fail(connection, take(connection))
    fail(connection, take(connection))

    taken = take_run(connection, owner="w1", lease_s=60, run_id=one)
    cancel_run(connection, run_id=other)

    assert taken is not None
    assert (taken.id, taken.not_before, taken.failure) == (one, None, None)
    assert run_by_id(connection, other).not_before is None


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
