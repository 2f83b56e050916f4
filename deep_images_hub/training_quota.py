"""How much training an account may ask for, by its role. Pure."""

from dataclasses import dataclass

from deep_images_hub.errors import TooManyRequestsError
from deep_images_hub.settings import Settings

# The day of a budget is the 24 hours before now.
BUDGET_HOURS = 24


@dataclass(frozen=True)
class Quota:
    """What an account may have: runs that have not ended, and minutes of training within 24 hours."""

    open_runs: int
    minutes: float


@dataclass(frozen=True)
class Use:
    """What of it an account has."""

    open_runs: int
    minutes: float


def quota_of(settings: Settings, role: str) -> Quota | None:
    """Return the quota of a role; None: without limit, which operators are."""
    if role == "operator":
        return None
    return Quota(open_runs=settings.training_open_runs, minutes=settings.training_minutes_per_day)


def check_quota(use: Use, quota: Quota) -> None:
    """Raise TooManyRequestsError unless there is room for another run."""
    if use.open_runs >= quota.open_runs:
        raise TooManyRequestsError(
            f"You have {use.open_runs} training runs that have not ended, and your account may have {quota.open_runs} at once. "
            "Wait until one ends, or cancel one."
        )
    if use.minutes >= quota.minutes:
        raise TooManyRequestsError(
            f"Your training took {use.minutes:.0f} minutes within the last {BUDGET_HOURS} hours, and your account may have "
            f"{quota.minutes:.0f}. Ask again later, or ask an operator of this hub."
        )
