"""What the job of a training run leaves when it may not begin, or is stopped. Without Spark: it is not reached."""

from argparse import Namespace
from typing import NoReturn
from unittest.mock import sentinel

import pytest

from deep_images_hub.catalogue.training import TrainingRun, cancel_run, request_run, return_run
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.errors import ConflictError
from deep_images_hub.object_store.keys import checkpoint_key
from deep_images_hub.wiring import Hub
from spark_jobs import train_baseline as job
from tests.integration.catalogue.planting import plant_batch, plant_labels


@pytest.fixture
def version_id(hub: Hub) -> int:
    with hub.engine.begin() as connection:
        plant_labels(connection)
        plant_batch(connection, "a", "apple", outcomes=["accepted"] * 2)
        recipe = Recipe(label_codes=("apple",), with_descendants=False)
        return freeze(connection, recipe, name="Apples", created_by=None).id


def test_run_that_waits_for_pictures_cannot_be_trained_by_hand_and_says_why(hub: Hub, version_id: int) -> None:
    with hub.engine.begin() as connection:
        run = request_run(connection, version_id=version_id, requested_by=None, backbone="vgg16", workers=1, lacking=[])

    with pytest.raises(ConflictError, match=f"Training run {run.id} waits for pictures"):
        job.train_baseline(hub, Namespace(run=run.id), sentinel.spark)


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_checkpoints_of_a_run_that_is_stopped_go_where_it_was_cancelled_and_stay_where_it_goes_on(
    hub: Hub, version_id: int, monkeypatch: pytest.MonkeyPatch, is_cancelled: bool
) -> None:
    with hub.engine.begin() as connection:
        run = request_run(connection, version_id=version_id, requested_by=None, backbone="vgg16", workers=1)
    key = checkpoint_key(run.id, "train-0123")

    def stopped(_hub: Hub, run: TrainingRun, _spark: object) -> NoReturn:
        hub.store.replace(key, b"where it is")
        assert run.lease_owner is not None
        with hub.engine.begin() as connection:
            if is_cancelled:
                cancel_run(connection, run_id=run.id)
            else:
                return_run(connection, run_id=run.id, owner=run.lease_owner)
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "_train_and_publish", stopped)

    with pytest.raises(KeyboardInterrupt):
        job.train_baseline(hub, Namespace(run=run.id), sentinel.spark)

    assert [found.key for found in hub.store.list("checkpoints/")] == ([] if is_cancelled else [key])
