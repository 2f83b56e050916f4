"""What became of each training run: a row each time that its status changed. `training` decides; this remembers."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, insert, select

from deep_images_hub.catalogue.tables import training_changes


@dataclass(frozen=True)
class RunChange:
    """That a run came to a status. attempt: the try that it was in. failure: one of `training.FAILURES`, or None."""

    attempt: int
    status: str
    failure: str | None
    message: str | None
    created_at: datetime


def write_change(
    connection: Connection, *, run_id: int, attempt: int, status: str, message: str | None, failure: str | None = None
) -> None:
    """Write down that a run came to a status. Call it in the transaction that changes it."""
    connection.execute(
        insert(training_changes).values(run_id=run_id, attempt=attempt, status=status, failure=failure, message=message)
    )


def changes_of(connection: Connection, *, run_id: int) -> list[RunChange]:
    """Return what became of a run, in order."""
    rows = connection.execute(
        select(*(training_changes.c[column.name] for column in fields(RunChange)))
        .where(training_changes.c.run_id == run_id)
        .order_by(training_changes.c.id)
    )
    return [RunChange(**row._mapping) for row in rows]
