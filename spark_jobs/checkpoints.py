"""Checkpoints in the store: one for each stage of a training run, replaced as it goes, removed when the run has ended."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict

from deep_images_hub.errors import NotFoundError
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import CHECKPOINTS_AREA, checkpoint_key
from models.checkpoint import Checkpoint, Checkpoints
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet

# Epochs may end within this time without a checkpoint: no more than that is lost.
_MIN_S = 5.0


def checkpoints_of(store: ObjectStore, plan: TrainingPlan, training_set: TrainingSet, *, stage: str) -> Checkpoints:
    """Return where a stage of a run begins, and how it keeps its state. For worker 0."""
    key = checkpoint_key(plan.run_id, f"{stage}-{_digest(plan, training_set)}")
    try:
        latest = Checkpoint.from_bytes(store.read(key))
    except NotFoundError:
        latest = None
    return Checkpoints(
        latest,
        keep=lambda checkpoint: store.replace(key, checkpoint.to_bytes()),
        every_s=60 * plan.settings.checkpoint_minutes,
        min_s=min(_MIN_S, 60 * plan.settings.checkpoint_minutes),
    )


def _digest(plan: TrainingPlan, training_set: TrainingSet) -> str:
    """Name all that a state belongs to: with another card, or fewer pictures since one was taken down, training begins anew.

    The number of workers is not part of it: another number may go on.
    """
    content = {
        "config": asdict(plan.config),
        "backbone": plan.backbone,
        "features": plan.features_model,
        "pictures": [[picture.image_id, picture.label_code, picture.split] for picture in training_set.pictures],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def remove_checkpoints(store: ObjectStore, run_id: int) -> None:
    """Remove a run's checkpoints."""
    for found in list(store.list(f"{CHECKPOINTS_AREA}{run_id}/")):
        store.delete(found.key)


def runs_with_checkpoints(store: ObjectStore) -> Iterator[int]:
    """Yield the numbers of the runs that have checkpoints, one after the other."""
    latest = None
    for found in store.list(CHECKPOINTS_AREA):
        number = found.key.removeprefix(CHECKPOINTS_AREA).partition("/")[0]
        if number != latest and number.isdecimal():
            yield int(number)
        latest = number
