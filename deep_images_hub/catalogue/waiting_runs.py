"""The rows of training runs that wait for pictures. What they wait for is decided by `deep_images_hub.waiting_runs`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, null, select, text, update

from deep_images_hub.catalogue.tables import notices, training_runs
from deep_images_hub.catalogue.training_history import write_change
from deep_images_hub.datasets.trainable import ShortLabel
from deep_images_hub.training import check_transition


@dataclass(frozen=True)
class WaitingRun:
    """A run that waits, locked.

    Attributes:
        version_id: whose recipe is to be frozen anew.
        short_codes: labels of which there were too few pictures at the last look.
        looked_images: how many there were of them then; None: it was never looked.
    """

    id: int
    version_id: int
    requested_by: int | None
    short_codes: list[str]
    looked_images: int | None


def waiting_ids(connection: Connection) -> list[int]:
    """Return the runs that wait, the oldest first."""
    waiting = select(training_runs.c.id).where(training_runs.c.status == "waiting").order_by(training_runs.c.id)
    return list(connection.execute(waiting).scalars())


def lock_waiting(connection: Connection, run_id: int) -> WaitingRun | None:
    """Lock a run that waits. None: it does no longer, or somebody else is just looking."""
    row = connection.execute(
        text(
            "select id, version_id, requested_by, lacking, looked_images from training_runs"
            " where id = :id and status = 'waiting' for update skip locked"
        ),
        {"id": run_id},
    ).one_or_none()
    if row is None:
        return None
    return WaitingRun(row.id, row.version_id, row.requested_by, [label["code"] for label in row.lacking], row.looked_images)


def keep_waiting(
    connection: Connection,
    run: WaitingRun,
    *,
    lacking: Sequence[ShortLabel] | None,
    looked_images: int,
    message: str | None,
) -> None:
    """Write down what a locked run lacks now (None: as before), and of how many pictures that was said."""
    values: dict[str, object] = {"looked_images": looked_images, "message": message}
    if lacking is not None:
        values["lacking"] = [asdict(label) for label in lacking]
    connection.execute(update(training_runs).where(training_runs.c.id == run.id).values(values))


def start_waiting(connection: Connection, run: WaitingRun, *, version_id: int, image_count: int) -> None:
    """Put a locked run that waited into the queue, to train on a version, and have its asker told."""
    check_transition("waiting", "queued")
    message = f"What it waited for is there: the dataset was frozen anew with {image_count:,} pictures."
    connection.execute(
        update(training_runs)
        .where(training_runs.c.id == run.id)
        .values(status="queued", version_id=version_id, lacking=null(), looked_images=None, message=message)
    )
    write_change(connection, run_id=run.id, attempt=0, status="queued", message=message)
    if run.requested_by is not None:
        connection.execute(insert(notices).values(user_id=run.requested_by, run_id=run.id))
