"""What a model says of each picture that it is judged on, as the catalogue keeps it."""

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.catalogue.model_answers import ModelAnswer
from spark_jobs.training_set import TrainingSet


def answers_of(training_set: TrainingSet, probabilities: NDArray[np.float32]) -> list[ModelAnswer]:
    """Say for each picture of the test split what is said of it, by its probabilities, (n, classes)."""
    positions = training_set.positions("test")
    truth, said = training_set.class_index[positions], probabilities.argmax(axis=1)
    of_truth = np.take_along_axis(probabilities, truth[:, None].astype(np.int64), axis=1)
    # Of answers that are as likely, the first one is said: that one alone has rank 1.
    is_before = np.arange(probabilities.shape[1]) < truth[:, None]
    rank = 1 + ((probabilities > of_truth) | ((probabilities == of_truth) & is_before)).sum(axis=1)
    return [
        ModelAnswer(training_set.pictures[at].image_id, *numbers)
        for at, *numbers in zip(
            positions.tolist(),
            truth.tolist(),
            said.tolist(),
            probabilities.max(axis=1).clip(0, 1).tolist(),
            rank.tolist(),
            strict=True,
        )
    ]
