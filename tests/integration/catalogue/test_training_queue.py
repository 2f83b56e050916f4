"""A training run from its request to its model: leases, failures and another try, cancelling."""

import pytest
from sqlalchemy import Connection, text

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
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.training import MOST_TRIES
from tests.integration.catalogue.planting import count_rows
from tests.integration.catalogue.training_runs import plant_version, request, take, user


@pytest.fixture
def version_id(connection: Connection) -> int:
    return plant_version(connection)


def lose_lease(connection: Connection, run_id: int) -> None:
    connection.execute(text("update training_runs set lease_until = now() - interval '1 s' where id = :id"), {"id": run_id})


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
