import pytest
from sqlalchemy import Connection, Engine, text

from deep_images_hub.catalogue.datasets import label_split_counts, version_by_id
from deep_images_hub.catalogue.notices import take_notice
from deep_images_hub.catalogue.training import TrainingRun, cancel_run, request_run, run_by_id, take_run
from deep_images_hub.catalogue.training_history import changes_of
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.datasets.freeze import compose, freeze
from deep_images_hub.datasets.recipe import Recipe, SplitFractions
from deep_images_hub.datasets.split import SplitCandidate
from deep_images_hub.datasets.trainable import training_obstacle
from deep_images_hub.demand.messages import StartedRun
from deep_images_hub.waiting_runs import lacking, start_waiting_runs
from deep_images_hub.wiring import Hub
from tests.integration.catalogue.planting import plant_batch, plant_labels

HALVES = SplitFractions(train=0.5, validation=0, test=0.5)


def send(hub: Hub, key: str, label_code: str, images: int) -> None:
    with hub.engine.begin() as connection:
        plant_batch(connection, key, label_code, outcomes=["accepted"] * images)


@pytest.fixture
def run(hub: Hub) -> TrainingRun:
    """A run that waits: apples enough, one pear, no crane at all."""
    with hub.engine.begin() as connection:
        plant_labels(connection)
        quinn = create_user(connection, email="quinn@example.org", display_name="Quinn", role="premium").id
    for key, code, images in [("a1", "apple", 4), ("a2", "apple", 4), ("p1", "pear", 1)]:
        send(hub, key, code, images)
    recipe = Recipe(label_codes=("apple", "pear", "crane1"), with_descendants=False, fractions=HALVES)
    with hub.engine.begin() as connection:
        version = freeze(connection, recipe, name="Fruit", created_by=quinn)
        short = lacking(connection, recipe, label_split_counts(connection, version.id))
        assert short is not None
        assert [(label.name, label.need) for label in short] == [("Crane", 2), ("Pear", 2)]
        return request_run(connection, version_id=version.id, requested_by=quinn, backbone="vgg16", workers=1, lacking=short)


def looked(engine: Engine, run: TrainingRun) -> TrainingRun:
    start_waiting_runs(engine)
    with engine.connect() as connection:
        return run_by_id(connection, run.id)


def test_run_that_waits_starts_on_the_recipe_frozen_anew_once_enough_is_there(hub: Hub, run: TrainingRun) -> None:
    with hub.engine.begin() as connection:
        assert take_run(connection, owner="w1", lease_s=60) is None
    assert looked(hub.engine, run).status == "waiting"
    for key in ("p2", "p3"):
        send(hub, key, "pear", 4)
    found = looked(hub.engine, run)
    assert (found.status, [label["name"] for label in found.lacking or []]) == ("waiting", ["Crane"])
    for key in ("c1", "c2"):
        send(hub, key, "crane1", 4)

    started = looked(hub.engine, run)

    assert (started.status, started.lacking, started.version_id != run.version_id) == ("queued", None, True)
    with hub.engine.begin() as connection:
        version, before = version_by_id(connection, started.version_id), version_by_id(connection, run.version_id)
        assert (version.name, version.recipe_digest) == (before.name, before.recipe_digest)
        assert (version.image_count, before.image_count) == (25, 9)
        assert training_obstacle(label_split_counts(connection, version.id)) is None
        assert [change.status for change in changes_of(connection, run_id=run.id)] == ["waiting", "queued"]
        told = take_notice(connection)
        assert isinstance(told, StartedRun)
        assert (told.run_id, told.dataset_name, told.images) == (run.id, "Fruit", 25)
        assert take_notice(connection) is None
        taken = take_run(connection, owner="w1", lease_s=60)
        assert taken is not None
        assert taken.id == run.id
    assert looked(hub.engine, run).status == "running", "once is enough"


def test_pictures_of_other_labels_make_nobody_look_again(hub: Hub, run: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(hub.engine, run)
    composed: list[Recipe] = []
    monkeypatch.setattr("deep_images_hub.waiting_runs.compose", lambda _connection, recipe: composed.append(recipe) or [])
    send(hub, "a9", "apple", 3)
    looked(hub.engine, run)
    assert composed == []
    send(hub, "p9", "pear", 1)
    looked(hub.engine, run)
    assert len(composed) == 1


def test_run_starts_on_the_pictures_that_were_counted_though_some_have_gone_since(
    hub: Hub, run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, code in [("p2", "pear"), ("p3", "pear"), ("c1", "crane1"), ("c2", "crane1")]:
        send(hub, key, code, 4)

    def composed(connection: Connection, recipe: Recipe) -> list[SplitCandidate]:
        found = compose(connection, recipe)
        with hub.engine.begin() as other:
            other.execute(text("update image_labels set is_current = false"))
        return found

    monkeypatch.setattr("deep_images_hub.waiting_runs.compose", composed)

    assert looked(hub.engine, run).status == "queued"


def test_run_that_waits_can_be_cancelled(hub: Hub, run: TrainingRun) -> None:
    with hub.engine.begin() as connection:
        cancel_run(connection, run_id=run.id)
    assert looked(hub.engine, run).status == "cancelled"


def test_run_that_somebody_else_is_looking_at_is_passed_over(hub: Hub, run: TrainingRun) -> None:
    for key, code in [("p2", "pear"), ("p3", "pear"), ("c1", "crane1"), ("c2", "crane1")]:
        send(hub, key, code, 4)
    with hub.engine.begin() as connection:
        connection.execute(text("select from training_runs where id = :id for update"), {"id": run.id})
        assert start_waiting_runs(hub.engine) == 0
    assert start_waiting_runs(hub.engine) == 1


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(label_codes=("pear",), fractions=HALVES),
        Recipe(label_codes=("apple", "pear"), fractions=SplitFractions(train=0.8, validation=0.2, test=0)),
    ],
)
def test_recipe_that_no_picture_can_make_trainable_is_not_waited_for(hub: Hub, run: TrainingRun, recipe: Recipe) -> None:
    with hub.engine.begin() as connection:
        version = freeze(connection, recipe, name="Never", created_by=None)
        assert lacking(connection, recipe, label_split_counts(connection, version.id)) is None
