"""Choose how a head is trained, on the validation split of its dataset."""

from dataclasses import replace

from deep_images_hub.wiring import Hub
from models.feature_scale import FeatureScale
from models.regularisation import choose_head
from spark_jobs.training_set import TrainingSet, features_by_position
from spark_jobs.training_tasks import TrainingPlan


def with_chosen_head(hub: Hub, plan: TrainingPlan, training_set: TrainingSet) -> TrainingPlan:
    """Return the plan of a head with its regularisation and weights of classes chosen; the same where nothing can be chosen."""
    if plan.features_model is None:
        return plan
    with hub.engine.connect() as connection:
        features = features_by_position(connection, training_set, model=plan.features_model, version_id=plan.version_id)
    train, validation = training_set.positions("train"), training_set.positions("validation")
    scaled = FeatureScale.of(features[train]).scaled(features)
    choice = choose_head(
        (scaled[train], training_set.class_index[train]),
        (scaled[validation], training_set.class_index[validation]),
        len(training_set.labels),
    )
    if choice is None:
        return plan
    config = replace(plan.config, l2=choice.l2, has_class_weights=choice.has_class_weights)
    return replace(plan, config=config, head_choice=choice)
