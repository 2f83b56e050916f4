import pytest

from deep_images_hub.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    SettingsError,
    TooManyRequestsError,
    UnavailableError,
)
from deep_images_hub.settings import Settings
from deep_images_hub.training import (
    ENDED,
    FAILURES,
    LONGEST_WAIT_S,
    MOST_TRIES,
    RUN_STATUSES,
    check_transition,
    failure_of,
    wait_s,
)
from deep_images_hub.training_quota import Quota, Use, check_quota, quota_of


def test_every_transition_that_is_not_drawn_is_refused() -> None:
    allowed = set()
    for before in RUN_STATUSES:
        for after in RUN_STATUSES:
            try:
                check_transition(before, after)
            except ConflictError:
                continue
            allowed.add((before, after))

    assert allowed == {("waiting", "queued"), ("waiting", "cancelled"), ("queued", "running"), ("queued", "cancelled")} | {
        ("running", after) for after in ("queued", "succeeded", "failed", "cancelled")
    }
    assert not any(before in ENDED for before, _ in allowed)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (UnavailableError("The store is away."), "outside"),
        (DeniedError("The store gives it not out."), "outside"),
        (InvalidInputError("One picture of Apple."), "unusable"),
        (SettingsError("The loss was no number."), "defect"),
    ],
)
def test_failure_of_an_error_says_whether_another_try_helps(error: Exception, failure: str) -> None:
    assert failure_of(error) == failure


def test_wait_is_doubled_up_to_a_limit_and_ends_after_the_last_try() -> None:
    waits = [wait_s("outside", failures=failures, first_wait_s=1000) for failures in range(1, 8)]

    assert waits == [1000, 2000, *[LONGEST_WAIT_S] * 4, None]
    assert [wait_s("lost", failures=failures, first_wait_s=30) for failures in (1, 2, 3)] == [0, 0, None]
    assert set(MOST_TRIES) == set(FAILURES)


def test_quota_is_of_all_roles_but_operators() -> None:
    settings = Settings(training_open_runs=2, training_minutes_per_day=60)

    assert quota_of(settings, "premium") == Quota(open_runs=2, minutes=60)
    assert quota_of(settings, "operator") is None


@pytest.mark.parametrize("use", [Use(open_runs=2, minutes=0), Use(open_runs=0, minutes=60)])
def test_quota_that_is_used_up_says_what_to_do(use: Use) -> None:
    with pytest.raises(TooManyRequestsError, match=r"may have (2 at once|60)\.? .*(cancel one|Ask again later)"):
        check_quota(use, Quota(open_runs=2, minutes=60))


def test_quota_with_room_is_let_through() -> None:
    check_quota(Use(open_runs=1, minutes=59.9), Quota(open_runs=2, minutes=60))
