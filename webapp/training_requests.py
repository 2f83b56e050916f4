"""Asking for a baseline model of a dataset version: what stands against it, the account's quota, asking again."""

from dataclasses import dataclass

from sqlalchemy import Connection

from deep_images_hub.catalogue.datasets import label_split_counts
from deep_images_hub.catalogue.training import TrainingRun, request_run
from deep_images_hub.catalogue.training_history import changes_of
from deep_images_hub.catalogue.training_quotas import RunTimes, check_room, run_times
from deep_images_hub.datasets.recipe import recipe_from_body
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.datasets.trainable import training_obstacle
from deep_images_hub.errors import ConflictError, InvalidInputError
from deep_images_hub.training import ENDED, TRAINING_METHODS
from deep_images_hub.training_quota import quota_of
from deep_images_hub.waiting_runs import lacking
from webapp.access import signed_in_user
from webapp.services import hub
from webapp.wording import plural

# Learns from the dataset's own pictures alone: there is always this one, whatever pretrained weights can be had.
_SCRATCH_BACKBONE = "compact_vgg"


@dataclass(frozen=True)
class Way:
    """A way to train: a network and a method. times: how long it took before; None: nobody knows yet."""

    backbone: str
    method: str
    times: RunTimes | None

    @property
    def words(self) -> str:
        """What it is called in a list."""
        if self.backbone == _SCRATCH_BACKBONE:
            return f"{self.backbone}, from scratch"
        return f"{self.backbone}, its top blocks too" if self.method == "fine_tune" else f"{self.backbone}, the head alone"


def ways(connection: Connection) -> list[Way]:
    """Return the ways that may be asked for, the usual one first."""
    times, usual = run_times(connection), hub().settings.training_method
    methods = [usual, *(method for method in TRAINING_METHODS if method != usual)]
    found = [
        (backbone, method) for backbone in backbones() for method in methods if backbone != _SCRATCH_BACKBONE or method == "head"
    ]
    return [Way(backbone, method, times.get((backbone, method))) for backbone, method in found]


def about_minutes(times: RunTimes | None, image_count: int) -> str | None:
    """Say how long a run of so many pictures is likely to take, by earlier runs; None: there are none."""
    if times is None:
        return None
    minutes = times.minutes(image_count)
    likely = "under a minute" if minutes < 1 else f"about {plural(round(minutes), 'minute')}"
    return f"{likely}, by {plural(times.runs, 'earlier run')}"


def request_training(
    version_id: int,
    backbone: str | None,
    *,
    method: str | None = None,
    may_wait: bool = False,
    repeats: int | None = None,
) -> TrainingRun:
    """Put a training run of a version, or of what is left of it, into the queue for whoever asks.

    Args:
        backbone: one of `backbones()`; None: the first.
        method: one of `TRAINING_METHODS`; None: the hub's usual one.
        may_wait: where there are too few pictures to train on, let it wait until there are enough.
        repeats: the run that is asked for again.

    Raises:
        NotFoundError: there is no such version.
        ConflictError: nothing is left of it.
        InvalidInputError: it is no such network, or no model of these pictures is worth starting.
        TooManyRequestsError: the account's quota is used up.
    """
    backbone = backbone or backbones()[0]
    if backbone not in backbones():
        raise InvalidInputError(f"{backbone[:40]!r} is not trained here. Expected: {' or '.join(backbones())}.")
    if backbone == _SCRATCH_BACKBONE and method == "fine_tune":
        raise InvalidInputError(
            f"{backbone} is trained from scratch, all of it. Ask for it without a method, or fine-tune another."
        )
    user, settings = signed_in_user(), hub().settings
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
        counts, short = label_split_counts(connection, version.id), None
        if obstacle := training_obstacle(counts):
            short = lacking(connection, recipe_from_body(version.recipe_body), counts) if may_wait else None
            if short is None:
                raise InvalidInputError(obstacle)
        check_room(connection, user_id=user.id, quota=quota_of(settings, user.role))
        return request_run(
            connection,
            version_id=version.id,
            requested_by=user.id,
            backbone=backbone,
            method="head" if backbone == _SCRATCH_BACKBONE else method or settings.training_method,
            workers=settings.training_workers,
            repeats=repeats,
            lacking=short,
        )


def request_again(run: TrainingRun) -> TrainingRun:
    """Put a run like one that failed or was cancelled into the queue, for whoever asks.

    Raises:
        ConflictError: the run has not ended, or has a model, or failed for what was asked for.
    """
    if run.status not in ENDED:
        raise ConflictError(
            f"Training run {run.id} is {run.status}. It can be asked for again when it has failed or was cancelled."
        )
    if not may_be_repeated(run):
        raise ConflictError(
            f"Training run {run.id} has {run.status}: {run.message} Another try would end the same. "
            "Ask for a model of another dataset."
        )
    with hub().engine.connect() as connection:
        has_waited = any(change.status == "waiting" for change in changes_of(connection, run_id=run.id))
    return request_training(run.version_id, run.backbone, method=run.method, may_wait=has_waited, repeats=run.id)


def may_be_repeated(run: TrainingRun) -> bool:
    """Tell whether asking for a run again may come to something else."""
    return run.status in ("failed", "cancelled") and run.failure != "unusable"


def backbones() -> list[str]:
    """Return the networks that may be asked for: the configured one, and the one that is trained from scratch."""
    return list(dict.fromkeys([hub().settings.backbone, _SCRATCH_BACKBONE]))
