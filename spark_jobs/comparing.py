"""What a model is held against: the same kind of head on features that nothing was learnt for."""

import numpy as np
from sqlalchemy import Connection

from deep_images_hub.catalogue.descriptors import grids_of
from models.random_features import random_features_top1
from spark_jobs.training_set import TrainingSet


def random_features_of(connection: Connection, training_set: TrainingSet, *, seed: int) -> float | None:
    """Return what a head on random features reaches on the test split; None where pictures have no descriptors, or too many."""
    grids = grids_of(connection, image_ids=[picture.image_id for picture in training_set.pictures])
    if len(grids) < len(training_set.pictures):
        return None
    levels = np.stack([np.frombuffer(grids[picture.image_id], np.uint8) for picture in training_set.pictures])
    train, test = training_set.positions("train"), training_set.positions("test")
    return random_features_top1(
        (levels[train], training_set.class_index[train]),
        (levels[test], training_set.class_index[test]),
        len(training_set.labels),
        seed=seed,
    )
