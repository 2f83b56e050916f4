"""What a worker learns, and from what: a head from features, a network from pictures, or its top from its trunk's views."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection

from deep_images_hub.object_store.open import open_store
from models.batches import Examples, Rows, class_weights, own_positions
from models.feature_scale import FeatureScale
from models.specs import backbone_spec
from spark_jobs.embedding import Network, weights_like
from spark_jobs.stored_pictures import LocalRows, StoredPictures, read_picture
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet, features_by_position

if TYPE_CHECKING:
    from models.team import Team
    from models.train_loop import Task

# Pictures whose rows are computed together, and in how many parts that is told of.
_CHUNK_IMAGES = 32
_TOLD_PARTS = 50


@dataclass(frozen=True)
class Learning:
    """What `models.train_loop.train` is to do.

    Attributes:
        task: what is learned, and what it is judged on.
        whole: both together, to be learned from once the judging is done; None: what judges is not learned from.
    """

    task: "Task"
    whole: Examples | None = None


def what_to_learn(connection: Connection, plan: TrainingPlan, training_set: TrainingSet) -> Learning:
    """Prepare what a worker learns."""
    if plan.fine_tuned_head is not None:
        return _fine_tuning(plan, training_set)
    if plan.features_model is not None:
        return Learning(_head_task(connection, plan, training_set, plan.features_model))
    return Learning(_scratch_task(plan, training_set))


def compute_ahead(learning: Learning, plan: TrainingPlan, team: "Team", tell: Callable[[int, int], None]) -> None:
    """Have the rows that this worker sees computed before it begins: always in the same batches, so to the same digits.

    Args:
        tell: called by the first worker with how many pictures are done, and of how many. It speaks for all: they go about alike.
    """
    share = {"global_batch": plan.config.global_batch, "rank": team.rank, "workers": team.size}
    # What judges is kept with what is learned from: where both are learned from, it is there already.
    parts: list[tuple[Examples, int | None]] = [(learning.whole or learning.task.training, plan.config.seed)]
    if learning.whole is None:
        parts.append((learning.task.validation, None))
    own = [(examples.rows, own_positions(examples, seed=seed, **share)) for examples, seed in parts]
    chunks = [(rows, at[start : start + _CHUNK_IMAGES]) for rows, at in own for start in range(0, len(at), _CHUNK_IMAGES)]
    own_total, total = sum(len(at) for _, at in chunks), sum(len(examples) for examples, _ in parts)
    done = told = 0
    for rows, at in chunks:
        rows(at)
        done += len(at)
        part = _TOLD_PARTS * done // own_total
        if team.rank == 0 and part > told:
            tell(total * part // _TOLD_PARTS, total)
            told = part


def _head_task(connection: Connection, plan: TrainingPlan, training_set: TrainingSet, features_model: str) -> "Task":
    """A head on features that the catalogue keeps."""
    from models.head import build_head, hide_features
    from models.train_loop import Task

    features = features_by_position(connection, training_set, model=features_model, version_id=plan.version_id)
    scaled = FeatureScale.of(features[training_set.positions("train")]).scaled(features)
    feature_count = scaled.shape[1]
    return Task(
        build=partial(build_head, feature_count, len(training_set.labels)),
        training=_examples(training_set, "train", rows=scaled.__getitem__, has_class_weights=plan.config.has_class_weights),
        validation=_examples(training_set, "validation", rows=scaled.__getitem__),
        distort=partial(hide_features, rate=plan.config.dropout),
        noise_width=feature_count,
    )


def _scratch_task(plan: TrainingPlan, training_set: TrainingSet) -> "Task":
    """A whole network on pictures, which each machine reads once."""
    from models.augmentation import DISTORTION_NOISE, distort
    from models.compact_vgg import build_compact_vgg
    from models.ghost_batch_norm import GhostBatchNormalization
    from models.train_loop import Task

    pictures = LocalRows(_stored_pictures(plan, training_set).at, len(training_set.pictures))
    return Task(
        build=partial(build_compact_vgg, len(training_set.labels), normalisation=GhostBatchNormalization),
        training=_examples(training_set, "train", rows=pictures.rows, has_class_weights=plan.config.has_class_weights),
        validation=_examples(training_set, "validation", rows=pictures.rows),
        distort=distort,
        noise_width=DISTORTION_NOISE,
    )


def _fine_tuning(plan: TrainingPlan, training_set: TrainingSet) -> Learning:
    """The top blocks and the head of a pretrained network, on what its trunk makes of pictures, computed once by who needs it."""
    from models.features import dtype_policy
    from models.fine_tuning import VIEW_NOISE, FineTuning, one_view
    from models.train_loop import Task

    assert plan.fine_tuned_head is not None
    assert plan.weights_sha256 is not None
    fine_tuning = FineTuning(
        plan.backbone,
        weights_like(plan.settings, Network(plan.backbone, plan.weights_sha256)).path,
        plan.fine_tuned_head,
        dtype_policy=dtype_policy(plan.settings.mixed_bfloat16, plan.backbone),
        seed=plan.config.seed,
    )
    pictures = _stored_pictures(plan, training_set)
    views = LocalRows(lambda at: fine_tuning.views(pictures.at(at), at, count=plan.config.kept_views), len(training_set.pictures))
    plain = LocalRows(lambda at: fine_tuning.views(pictures.at(at), at, count=1), len(training_set.pictures))
    # As a head learns from the validation split in the end where its regularisation was chosen.
    is_whole = plan.head_choice is not None and plan.config.rest_epochs > 0 and len(training_set.positions("validation")) > 0
    judging = views if is_whole else plain
    task = Task(
        build=fine_tuning.build_top,
        training=_examples(training_set, "train", rows=views.rows, has_class_weights=plan.config.has_class_weights),
        validation=_examples(training_set, "validation", rows=lambda at: judging.rows(at)[:, 0]),
        distort=one_view,
        noise_width=VIEW_NOISE,
        is_in_training_mode=False,
    )
    if not is_whole:
        return Learning(task)
    whole = _examples(training_set, "train", "validation", rows=views.rows, has_class_weights=plan.config.has_class_weights)
    return Learning(task, replace(whole, dealt_first=len(task.training)))


def _stored_pictures(plan: TrainingPlan, training_set: TrainingSet) -> StoredPictures:
    read = partial(read_picture, open_store(plan.settings), plan.settings, backbone_spec(plan.backbone).side_px)
    return StoredPictures(read, [picture.picture_key for picture in training_set.pictures])


def _examples(training_set: TrainingSet, *splits: str, rows: Rows, has_class_weights: bool = False) -> Examples:
    """Return the examples of splits, one after the other, given the inputs by position in the whole version."""
    positions = np.concatenate([training_set.positions(split) for split in splits])
    class_index = training_set.class_index[positions]
    return Examples(
        rows=lambda at: rows(positions[at]),
        class_index=class_index,
        weight=class_weights(class_index, len(training_set.labels)) if has_class_weights else np.ones(len(positions), np.float32),
    )
