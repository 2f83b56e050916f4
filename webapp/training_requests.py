"""Asking for a baseline model of a dataset version: what stands against it, the account's quota, asking again."""

from collections import Counter
from collections.abc import Sequence

from deep_images_hub.catalogue.datasets import label_split_counts
from deep_images_hub.catalogue.training import TrainingRun, request_run
from deep_images_hub.catalogue.training_quotas import check_room
from deep_images_hub.datasets.card import LabelSplitCount
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.errors import ConflictError, InvalidInputError
from deep_images_hub.training import ENDED, MIN_LABELS, MIN_TRAIN_IMAGES_PER_LABEL
from deep_images_hub.training_quota import quota_of
from webapp.access import signed_in_user
from webapp.services import hub

# Learns from the dataset's own pictures alone: there is always this one, whatever pretrained weights can be had.
_SCRATCH_BACKBONE = "compact_vgg"


def request_training(version_id: int, backbone: str | None, *, repeats: int | None = None) -> TrainingRun:
    """Put a training run of a version, or of what is left of it, into the queue for whoever asks.

    Args:
        backbone: one of `backbones()`; None: the first.
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
    user, settings = signed_in_user(), hub().settings
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
        if obstacle := training_obstacle(label_split_counts(connection, version.id)):
            raise InvalidInputError(obstacle)
        check_room(connection, user_id=user.id, quota=quota_of(settings, user.role))
        return request_run(
            connection,
            version_id=version.id,
            requested_by=user.id,
            backbone=backbone,
            method=settings.training_method,
            workers=settings.training_workers,
            repeats=repeats,
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
    return request_training(run.version_id, run.backbone, repeats=run.id)


def may_be_repeated(run: TrainingRun) -> bool:
    """Tell whether asking for a run again may come to something else."""
    return run.status in ("failed", "cancelled") and run.failure != "unusable"


def backbones() -> list[str]:
    """Return the networks that may be asked for: the configured one, and the one that is trained from scratch."""
    return list(dict.fromkeys([hub().settings.backbone, _SCRATCH_BACKBONE]))


def short_labels(counts: Sequence[LabelSplitCount]) -> dict[str, str]:
    """Return the names of the labels of which too few pictures could be learnt from, by code."""
    train_images = Counter({count.label_code: count.image_count for count in counts if count.split == "train"})
    names = {count.label_code: count.label_name for count in counts}
    return {code: name for code, name in names.items() if train_images[code] < MIN_TRAIN_IMAGES_PER_LABEL}


def training_obstacle(counts: Sequence[LabelSplitCount]) -> str | None:
    """Say why a model of a version with these pictures is not worth starting; None: it is."""
    labels = {count.label_code for count in counts}
    if len(labels) < MIN_LABELS:
        return f"Training needs at least {MIN_LABELS} labels to tell apart; this dataset has {len(labels)}. Freeze one with more."
    if short := sorted(short_labels(counts).values()):
        listed = ", ".join(short[:3]) + (f" and {len(short) - 3} more" if len(short) > 3 else "")
        return f"Training needs at least {MIN_TRAIN_IMAGES_PER_LABEL} pictures of each label to learn from; too few: {listed}."
    if not any(count.split == "test" for count in counts):
        return "No picture is left to test a model on: every label has a single batch, or the split gives the test nothing."
    return None
