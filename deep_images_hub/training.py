"""The life of a training run: how it may be trained, which status may follow which, and when one that failed is tried again.

waiting ──► cancelled
  ▼
queued ──► running ──► succeeded
  │          ├──────► failed
  │          ├──────► cancelled
  │          └──────► queued      (whoever ran it is gone, or something that it needs: it is tried again, later)
  └──► cancelled
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from deep_images_hub.errors import ConflictError, HubError, SettingsError, UnavailableError

RUN_STATUSES = ("waiting", "queued", "running", "succeeded", "failed", "cancelled")
TRAINING_METHODS = ("head", "fine_tune")
ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Stage:
    """A part of a run's work: what it does, in words, and what is counted, in the plural."""

    words: str
    unit: str = "steps"


# By name, in order.
STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        "features": Stage("Look at every picture once", "pictures"),
        "train": Stage("Learn", "epochs"),
        "views": Stage("Look at every picture in several ways", "pictures"),
        "fine_tune": Stage("Learn on, deeper", "epochs"),
        "rest": Stage("Learn from what was held out, too", "epochs"),
        "evaluate": Stage("Test on pictures never seen", "pictures"),
        "outlook": Stage("See what more pictures would bring"),
        "export": Stage("Write the model and try its files"),
    }
)
FINE_TUNING_STAGES = frozenset({"views", "fine_tune", "rest"})

_FOLLOWERS = {
    "waiting": frozenset({"queued", "cancelled"}),
    "queued": frozenset({"running", "cancelled"}),
    "running": frozenset({"queued", "succeeded", "failed", "cancelled"}),
}

# Why a run failed, and what that says of another try:
#   unusable  what was asked for: too few pictures, for instance. Another try would end the same.
#   outside   something that it needs could not be had: the store, the catalogue, weights, slots of the cluster.
#   lost      whoever ran it stopped without a word: killed, out of memory, its machine gone.
#   defect    a mistake of ours, or of who runs the hub. Another try would end the same until it is mended.
FAILURES = ("unusable", "outside", "lost", "defect")
# How often a run is tried before failures of one kind end it, those apart between which it got an epoch further. A run that is
# lost again and again may be what kills its machines.
MOST_TRIES = {"unusable": 1, "outside": 7, "lost": 3, "defect": 1}
# A try that waits longer than this waits no longer for the next.
LONGEST_WAIT_S = 3600.0

# The least that a training run is worth starting with.
MIN_LABELS = 2
MIN_TRAIN_IMAGES_PER_LABEL = 2


def check_transition(before: str, after: str) -> None:
    """Raise ConflictError unless a run may go from one status to the other."""
    if after not in _FOLLOWERS.get(before, frozenset()):
        allowed = ", ".join(sorted(_FOLLOWERS.get(before, frozenset()))) or "nothing: it has ended"
        raise ConflictError(f"A training run that is {before} cannot become {after}. Possible: {allowed}.")


def failure_of(error: HubError) -> str:
    """Say what kind of failure an expected error is, of `FAILURES`."""
    if isinstance(error, SettingsError):
        return "defect"
    return "outside" if isinstance(error, UnavailableError) else "unusable"


def wait_s(failure: str, *, failures: int, first_wait_s: float) -> float | None:
    """Return for how many seconds a run waits before it is tried again; None: it is not.

    Args:
        failure: one of `FAILURES`.
        failures: how often it failed like this since it last got further, with this time.
        first_wait_s: doubled each time. A run that was lost has waited already, for its lease to end.
    """
    if failures >= MOST_TRIES[failure]:
        return None
    return 0.0 if failure == "lost" else min(LONGEST_WAIT_S, first_wait_s * 2.0 ** (failures - 1))
