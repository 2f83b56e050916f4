from dataclasses import replace

import numpy as np
import pytest
from py4j.protocol import Py4JJavaError

from deep_images_hub.errors import InvalidInputError, NotFoundError, UnavailableError
from deep_images_hub.settings import load_settings
from models.training_config import TrainingConfig, load_card
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_tasks import _expected


class SparkError(Py4JJavaError):
    """What Spark says of a stage that failed, without a JVM to say it."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return self.words


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (
            "[SPARK-24819]: Barrier execution mode does not allow run a barrier stage that requires more slots",
            UnavailableError,
            "3 w",
        ),
        ("Job aborted: ExecutorLostFailure (executor 1 exited caused by one of the running tasks)", UnavailableError, "was lost"),
        (
            "concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly",
            UnavailableError,
            "was killed",
        ),
        (
            "errors_impl.UnavailableError: Graph execution error:\n\nCollective ops is aborted by: Socket closed\nAdditional",
            UnavailableError,
            "lost another one",
        ),
        (
            "InternalError: Barrier failed because: \n[type.googleapis.com/tensorflow.CoordinationServiceError='']",
            UnavailableError,
            "lost another one",
        ),
        (
            "Collective ops is aborted by: Socket closed\ndeep_images_hub.errors.NotFoundError: There is no object images/a.jpg.",
            NotFoundError,
            "images/a.jpg",
        ),
        ("Traceback\ndeep_images_hub.errors.InvalidInputError: Too few.\n", InvalidInputError, "Too few."),
    ],
)
def test_stage_that_failed_for_a_known_reason_says_it(words: str, kind: type[Exception], message: str) -> None:
    found = _expected(SparkError(words), 3)

    assert type(found) is kind
    assert message in str(found)


def test_stage_that_failed_otherwise_is_a_defect() -> None:
    assert _expected(SparkError("Traceback\nZeroDivisionError: division by zero"), 3) is None


def plan_of(config: TrainingConfig) -> TrainingPlan:
    return TrainingPlan(load_settings(), 1, 1, 1, "", "vgg16", "vgg16-features", config)


@pytest.mark.parametrize("has_class_weights", [False, True])
def test_fine_tuning_weighs_labels_as_its_head_did(has_class_weights: bool) -> None:
    of_head = plan_of(replace(load_card("head", seed=7), has_class_weights=has_class_weights))
    head = [np.zeros((512, 3), np.float32), np.zeros(3, np.float32)]

    plan = of_head.fine_tuned_from(head)

    assert plan.config == replace(load_card("fine_tune", seed=7), has_class_weights=has_class_weights)
    assert (plan.stage, plan.fine_tuned_head) == ("fine_tune", head)
