"""Tell the catalogue, and so whoever watches, how far a training run is."""

from collections.abc import Mapping

from sqlalchemy import Engine

from deep_images_hub.catalogue.training import add_event
from deep_images_hub.errors import ConflictError


def tell(
    engine: Engine, *, run_id: int, attempt: int, stage: str, done: int, total: int, metrics: Mapping[str, float] | None = None
) -> None:
    """Write down how far a stage is.

    Raises:
        ConflictError: that attempt at the run is over; stop working on it.
    """
    with engine.begin() as connection:
        is_ours = add_event(connection, run_id=run_id, attempt=attempt, stage=stage, done=done, total=total, metrics=metrics)
    if not is_ours:
        raise ConflictError(f"Training run {run_id} was cancelled, or taken by another, at {stage} {done} of {total}.")
