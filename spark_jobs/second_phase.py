"""What fine-tuning begins with, and how what it gives is held against the head alone.

Where a head was chosen by looks held out, one look of each label is held out again: neither the head that fine-tuning begins with
nor the fine-tuned network learn from it. It says when to stop, how sure the network may be, and which of the two is published.
Where there are too few pictures for that the version's own validation split does. Once it has said so, the network learns from it
too.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.wiring import Hub
from models.calibration import MIN_IMAGES
from models.feature_scale import FeatureScale
from models.linear_probe import class_probabilities
from models.look_folds import held_out_look
from models.regularisation import solve_head
from models.training_outcome import Trained
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet, features_by_position


@dataclass(frozen=True)
class FineTunedBesideHead:
    """How often a fine-tuned network and the head that it began with were right on pictures that neither had learnt from.

    Attributes:
        top1, head_top1: shares, 0..1; None where there was no such picture.
        images: how many they were.
        is_published: the fine-tuned network is, unless the head was right more often by more than a standard error; then the head
            alone is, on all pictures. Some two hundred pictures tell no more.
        is_whole: the fine-tuned network then learned from these pictures too.
    """

    top1: float | None
    head_top1: float | None
    images: int
    is_published: bool
    is_whole: bool


@dataclass(frozen=True)
class SecondPhase:
    """Fine-tuning, ready to begin: its plan, the pictures as it parts them, how often its first head is right on validation."""

    plan: TrainingPlan
    training_set: TrainingSet
    head_top1: float | None

    def beside_head(self, trained: Trained) -> FineTunedBesideHead:
        """Hold a fine-tuned network, before it learnt from what judges it, against the head alone."""
        images = len(self.training_set.positions("validation"))
        if self.head_top1 is None:
            return FineTunedBesideHead(None, None, images, is_published=True, is_whole=False)
        top1, is_whole = trained.top1(), trained.whole_weights is not None
        error = math.sqrt(sum(share * (1 - share) / images for share in (top1, self.head_top1)))
        is_published = self.head_top1 - top1 <= error
        return FineTunedBesideHead(top1, self.head_top1, images, is_published=is_published, is_whole=is_whole)


def second_phase(hub: Hub, plan: TrainingPlan, training_set: TrainingSet, trained: Trained) -> SecondPhase:
    """Prepare fine-tuning.

    Args:
        plan: of the head.
        trained: the head, as it was trained on workers.
    """
    features = kept_features(hub, plan, training_set)
    assert features is not None
    weights, held_out, parted = trained.weights, None, training_set
    scaled = FeatureScale.of(features[training_set.positions("train")]).scaled(features)
    chosen = _held_out(plan, training_set, scaled)
    if plan.head_choice is not None and chosen is not None:
        held_out = frozenset(training_set.pictures[at].image_id for at in chosen)
        parted = training_set.holding_out(held_out)
        train = parted.positions("train")
        # From nothing: the head that was trained on workers has learnt from what is held out now.
        nothing = [np.zeros_like(weight) for weight in weights]
        weights = solve_head(scaled[train], training_set.class_index[train], nothing, plan.head_choice)
    head = unscaled(training_set, weights, features)
    validation = parted.positions("validation")
    said = class_probabilities(head, features[validation]).argmax(axis=1)
    head_top1 = float((said == parted.class_index[validation]).mean()) if len(validation) else None
    return SecondPhase(plan.fine_tuned_from(head, held_out), parted, head_top1)


def _held_out(plan: TrainingPlan, training_set: TrainingSet, scaled: NDArray[np.float32]) -> NDArray[np.int64] | None:
    """Choose by position what is held out; None: the version's own validation split, which alone can say how sure to be."""
    if plan.head_choice is None:
        return None
    learned = training_set.learned_from()
    chosen = learned[held_out_look(scaled[learned], training_set.class_index[learned], seed=plan.config.seed)]
    is_own_better = len(chosen) < MIN_IMAGES <= len(training_set.positions("validation"))
    return None if is_own_better or not len(chosen) else chosen


def kept_features(hub: Hub, plan: TrainingPlan, training_set: TrainingSet) -> NDArray[np.float32] | None:
    """Return the features that the head was trained on, by position; None where all of the network was trained."""
    if plan.features_model is None:
        return None
    with hub.engine.connect() as connection:
        return features_by_position(connection, training_set, model=plan.features_model, version_id=plan.version_id)


def unscaled(
    training_set: TrainingSet, weights: list[NDArray[np.float32]], features: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Return the kernel and the bias of a head for features as the catalogue keeps them: it was trained on scaled ones."""
    from models.head import for_unscaled_features

    return for_unscaled_features(weights, FeatureScale.of(features[training_set.positions("train")]))
