import threading
from collections import Counter

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.datasets import candidates, save_version
from deep_images_hub.catalogue.models import model_by_id, models, save_model
from deep_images_hub.catalogue.training import (
    TrainingRun,
    add_event,
    cancel_run,
    events_of,
    finish_run,
    renew_lease,
    request_run,
    run_by_id,
    runs,
    take_run,
)
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.datasets.split import SplitCandidate
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.training import MAX_ATTEMPTS
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
        keras_key="k",
        keras_sha256="1",
        onnx_key="o",
        onnx_sha256="2",
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
        "keras_sha256": "1",
        "onnx_sha256": "2",
    }

    first = save_model(connection, run_id=run_id, keras_key="1/k", onnx_key="1/o", **values)
    second = save_model(connection, run_id=run_id, keras_key="2/k", onnx_key="2/o", **values)

    assert first == second
    assert model_by_id(connection, first).keras_key == "2/k"


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
    for attempt in range(MAX_ATTEMPTS):
        assert take(connection, f"w{attempt}").attempt == attempt + 1
        lose_lease(connection, run_id)

    assert take_run(connection, owner="last", lease_s=60) is None
    run = run_by_id(connection, run_id)
    assert (run.status, run.attempt) == ("failed", MAX_ATTEMPTS)
    assert run.message is not None
    assert run.message.startswith(f"Given up after {MAX_ATTEMPTS} tries")


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
