"""Choose how a head is trained, on what is not in the test split of its dataset."""

from dataclasses import replace

from deep_images_hub.wiring import Hub
from models.feature_scale import FeatureScale
from models.regularisation import choose_head
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet, features_by_position


def with_chosen_head(hub: Hub, plan: TrainingPlan, training_set: TrainingSet) -> TrainingPlan:
    """Return the plan of a head with its regularisation and weights of classes chosen; the same where nothing can be chosen."""
    if plan.features_model is None:
        return plan
    with hub.engine.connect() as connection:
        features = features_by_position(connection, training_set, model=plan.features_model, version_id=plan.version_id)
    learned = training_set.learned_from()
    scaled = FeatureScale.of(features[training_set.positions("train")]).scaled(features[learned])
    choice = choose_head(scaled, training_set.class_index[learned], len(training_set.labels), seed=plan.config.seed)
    if choice is None:
        return plan
    config = replace(plan.config, l2=choice.l2, has_class_weights=choice.has_class_weights)
    return replace(plan, config=config, head_choice=choice)
