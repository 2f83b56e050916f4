"""What an account may ask of the training queue, and where its runs stand in it."""

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


def runs_before(connection: Connection, run_id: int) -> int | None:
    """Return how many runs are likely to be taken before a queued one; None: it is not queued."""
    before: int | None = connection.execute(load_query("runs_before"), {"run_id": run_id}).scalar_one_or_none()
    return before
