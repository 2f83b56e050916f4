"""What an account may ask of the training queue, where its runs stand in it, and how long they are likely to take."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import users
from deep_images_hub.training_quota import Quota, Use, check_quota


def use_of(connection: Connection, user_id: int) -> Use:
    """Return how much training an account asks for now, and has had in the last 24 hours."""
    row = connection.execute(load_query("runs_of_account"), {"user_id": user_id}).one()
    return Use(open_runs=row.open_runs, minutes=float(row.minutes))


def check_room(connection: Connection, *, user_id: int, quota: Quota | None) -> None:
    """Raise TooManyRequestsError unless an account may ask for another run. None: as many as it likes.

    Until the transaction is over, nobody else asks for this account: two requests at once cannot both be the last.
    """
    if quota is None:
        return
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
    check_quota(use_of(connection, user_id), quota)


@dataclass(frozen=True)
class RunTimes:
    """How long runs take that train a network in a way: seconds for each picture of the dataset, the median of so many runs."""

    runs: int
    seconds_per_image: float

    def minutes(self, image_count: int) -> float:
        """Return how long a run of so many pictures is likely to take."""
        return self.seconds_per_image * image_count / 60


def run_times(connection: Connection) -> dict[tuple[str, str], RunTimes]:
    """Return how long the latest runs took, by backbone and method; without those of which none has succeeded yet."""
    rows = connection.execute(load_query("run_times"))
    return {(row.backbone, row.method): RunTimes(row.runs, row.seconds_per_image) for row in rows}


def runs_before(connection: Connection, run_id: int) -> int | None:
    """Return how many runs are likely to be taken before a queued one; None: it is not queued."""
    before: int | None = connection.execute(load_query("runs_before"), {"run_id": run_id}).scalar_one_or_none()
    return before
