"""The life of a training run: how it may be trained, and which status may follow which.

queued ──► running ──► succeeded
  │          ├──────► failed
  │          ├──────► cancelled
  │          └──────► queued      (its lease ran out: whoever ran it is gone)
  └──► cancelled
"""

from deep_images_hub.errors import ConflictError

RUN_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
TRAINING_METHODS = ("head", "fine_tune")
ENDED = frozenset({"succeeded", "failed", "cancelled"})

_FOLLOWERS = {
    "queued": frozenset({"running", "cancelled"}),
    "running": frozenset({"queued", "succeeded", "failed", "cancelled"}),
}

# A run that was lost this often with whoever ran it is given up: it may be what kills them.
MAX_ATTEMPTS = 3
# The least that a training run is worth starting with.
MIN_LABELS = 2
MIN_TRAIN_IMAGES_PER_LABEL = 2


def check_transition(before: str, after: str) -> None:
    """Raise ConflictError unless a run may go from one status to the other."""
    if after not in _FOLLOWERS.get(before, frozenset()):
        allowed = ", ".join(sorted(_FOLLOWERS.get(before, frozenset()))) or "nothing: it has ended"
        raise ConflictError(f"A training run that is {before} cannot become {after}. Possible: {allowed}.")
