"""How far a training run is: told to the catalogue, and so to whoever watches, and shown by the job that trains it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import Engine

from deep_images_hub.catalogue.training import TrainingEvent, add_event, events_of
from deep_images_hub.errors import ConflictError, UnavailableError
from deep_images_hub.progress import Progress
from deep_images_hub.training import STAGES

_POLL_S = 1.0


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


@contextmanager
def shown(engine: Engine, *, run_id: int, attempt: int) -> Iterator[None]:
    """Show on stderr how far an attempt at a run is, for the length of the block, whichever machine tells of it."""
    over = threading.Event()

    def show() -> None:
        after_id, is_over = 0, False
        with _Stages() as stages:
            while not is_over:
                is_over = over.wait(_POLL_S)
                # The job itself says so where the catalogue is out of reach.
                with suppress(UnavailableError), engine.connect() as connection:
                    for event in events_of(connection, run_id=run_id, after_id=after_id):
                        after_id = event.id
                        if event.attempt == attempt:
                            stages.show(event)

    shower = threading.Thread(target=show, name="progress", daemon=True)
    shower.start()
    try:
        yield
    finally:
        over.set()
        shower.join()


class _Stages:
    """The stages of a run, one `Progress` after the other."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._counted: tuple[str, int] | None = None
        self._began_s = time.monotonic()

    def __enter__(self) -> "_Stages":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def show(self, event: TrainingEvent) -> None:
        if self._counted != (event.stage, event.total):
            self._open.close()
            stage = STAGES[event.stage]
            self._progress = self._open.enter_context(Progress(stage.words, event.total, stage.unit, began_s=self._began_s))
            self._counted = event.stage, event.total
        self._progress.reach(event.done)
        if event.done >= event.total:
            self._open.close()
            self._began_s = time.monotonic()
