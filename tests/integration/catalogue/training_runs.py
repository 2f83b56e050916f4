"""Training runs for tests of the queue: a version to train on, who asks, and a worker that takes."""

from sqlalchemy import Connection

from deep_images_hub.catalogue.datasets import candidates, save_version
from deep_images_hub.catalogue.training import TrainingRun, request_run, take_run
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.datasets.split import SplitCandidate
from tests.integration.catalogue.planting import plant_batch, plant_labels


def plant_version(connection: Connection) -> int:
    plant_labels(connection)
    plant_batch(connection, "b1", outcomes=["accepted"] * 3)
    recipe = Recipe(label_codes=("food",))
    pictures = [SplitCandidate(candidate, "train", "g") for candidate in candidates(connection, recipe=recipe)]
    return save_version(connection, recipe=recipe, digest="d" * 64, name="fruit", created_by=None, pictures=pictures).id


def request(connection: Connection, version_id: int, user_id: int | None = None) -> int:
    return request_run(connection, version_id=version_id, requested_by=user_id, backbone="vgg16", workers=2).id


def user(connection: Connection, name: str) -> int:
    return create_user(connection, email=f"{name}@example.org", display_name=name, role="premium").id


def take(connection: Connection, owner: str = "w1") -> TrainingRun:
    run = take_run(connection, owner=owner, lease_s=60)
    assert run is not None
    return run
