"""Fine-tuning on a real Spark: on two workers as on one, and from its checkpoints as if it had never stopped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.catalogue.training import cancel_run, events_of, take_run
from deep_images_hub.errors import ConflictError
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.wiring import Hub
from models.fine_tuning import build_cut_network
from models.regularisation import HeadChoice
from models.specs import features_model
from models.training_config import load_card
from spark_jobs.checkpoints import remove_checkpoints
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_tasks import train_on_workers
from tests.integration.models import test_training_on_spark as on_spark

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

HEAD = [np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32), np.zeros(3, np.float32)]
STAGES = ("views", "fine_tune", "rest")

# Fixtures: a hub with drawn figures, and a version of them.
hub, version_id = on_spark.hub, on_spark.version_id


@pytest.fixture
def plan(hub: Hub, version_id: int) -> TrainingPlan:
    """The second phase of a run of ours, as `spark_jobs.second_phase` would plan it."""
    on_spark.requested(hub, version_id, "tiny_vgg")
    with hub.engine.begin() as connection:
        run = take_run(connection, owner="test", lease_s=600)
        held_out = connection.execute(
            text("select image_id from dataset_items where version_id = :id and position % 5 = 0 and split = 'train'"),
            {"id": version_id},
        ).scalars()
        assert run is not None
        weights = obtain_weights(hub.settings, "tiny_vgg")
        head = TrainingPlan(
            # A checkpoint after each step.
            settings=hub.settings.model_copy(update={"checkpoint_minutes": 1e-9}),
            run_id=run.id,
            attempt=run.attempt,
            version_id=version_id,
            version_digest="",
            backbone="tiny_vgg",
            features_model=features_model("tiny_vgg", weights.sha256),
            config=load_card("head", seed=3),
            weights_sha256=weights.sha256,
            head_choice=HeadChoice(0.01, has_class_weights=True, temperature=1.0, tried=[]),
        )
        fine_tuned = head.fine_tuned_from(HEAD, frozenset(held_out))
    return replace(fine_tuned, config=replace(fine_tuned.config, epochs=2, global_batch=8, epsilon=1e-3))


def told(hub: Hub, plan: TrainingPlan) -> list[tuple[str, int, int]]:
    with hub.engine.connect() as connection:
        events = events_of(connection, run_id=plan.run_id)
    return [(event.stage, event.done, event.total) for event in events if event.stage in STAGES]


def test_two_workers_and_one_that_goes_on_come_to_the_weights_of_one(hub: Hub, spark: SparkSession, plan: TrainingPlan) -> None:
    context = spark.sparkContext
    weights_file = Path(obtain_weights(hub.settings, "tiny_vgg").path)
    first = build_cut_network("tiny_vgg", weights_file, HEAD).top.get_weights()

    one = train_on_workers(context, plan, workers=1)
    before = told(hub, plan)
    again = train_on_workers(context, plan, workers=1)
    after = told(hub, plan)[len(before) :]
    remove_checkpoints(hub.store, plan.run_id)
    two = train_on_workers(context, plan, workers=2)
    remove_checkpoints(hub.store, plan.run_id)
    with hub.engine.begin() as connection:
        cancel_run(connection, run_id=plan.run_id)

    assert one.whole_weights is not None
    way = on_spark.distance(one.whole_weights, first)
    # It learned on from what had judged it.
    assert on_spark.distance(one.whole_weights, one.weights) > 1e-3 * way
    assert before[-2:] == [("rest", 1, 2), ("rest", 2, 2)]
    assert [count for count in before if count[0] == "fine_tune"] == [("fine_tune", 1, 2), ("fine_tune", 2, 2)]
    # What was done is not done again, but for the views, which are nowhere kept.
    assert {stage for stage, _, _ in after} == {"views"}
    for found, tolerance in ((again, 1e-7), (two, 1e-5)):
        assert found.whole_weights is not None
        assert on_spark.distance(found.weights, one.weights) < tolerance * way
        assert on_spark.distance(found.whole_weights, one.whole_weights) < tolerance * way
        assert found.validation_accuracy == one.validation_accuracy
        assert (found.best_epoch, len(found.reports)) == (one.best_epoch, 2)


def test_run_that_is_cancelled_stops_while_it_looks_at_its_pictures(hub: Hub, spark: SparkSession, plan: TrainingPlan) -> None:
    with hub.engine.begin() as connection:
        cancel_run(connection, run_id=plan.run_id)

    with pytest.raises(ConflictError, match=r"was cancelled, or taken by another, at views \d+ of 48"):
        train_on_workers(spark.sparkContext, plan, workers=1)

    assert list(hub.store.list(f"checkpoints/{plan.run_id}/")) == []
