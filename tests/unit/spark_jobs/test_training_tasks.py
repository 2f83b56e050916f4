import pytest
from py4j.protocol import Py4JJavaError

from deep_images_hub.errors import InvalidInputError, UnavailableError
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
        ("Traceback\ndeep_images_hub.errors.InvalidInputError: Too few.\n", InvalidInputError, "Too few."),
    ],
)
def test_stage_that_failed_for_a_known_reason_says_it(words: str, kind: type[Exception], message: str) -> None:
    found = _expected(SparkError(words), 3)

    assert type(found) is kind
    assert message in str(found)


def test_stage_that_failed_otherwise_is_a_defect() -> None:
    assert _expected(SparkError("Traceback\nZeroDivisionError: division by zero"), 3) is None
