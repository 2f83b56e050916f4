"""How often something was tried on one account or address, exact however many processes and machines serve the portal."""

import hashlib

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query


def count_attempt(connection: Connection, *, deed: str, subject: str, window_s: int) -> int:
    """Count an attempt, and return the how many-th it is since the window began: with its first attempt.

    Args:
        deed: what is tried, such as `sign_in`.
        subject: whose account or which address; only its hash is kept, and no longer than the window.
    """
    count: int = connection.execute(load_query("count_attempt"), {"key": _key(deed, subject), "window_s": window_s}).scalar_one()
    if count == 1:
        connection.execute(load_query("forget_attempts"))
    return count


def take_attempt_back(connection: Connection, *, deed: str, subject: str) -> None:
    """Count an attempt no longer, since nothing was wrong with it."""
    connection.execute(load_query("take_attempt_back"), {"key": _key(deed, subject)})


def forget_attempts_on(connection: Connection, *, deed: str, subject: str) -> None:
    """Begin anew on one account or address."""
    connection.execute(text("delete from attempts where key = :key"), {"key": _key(deed, subject)})


def _key(deed: str, subject: str) -> str:
    return hashlib.sha256(f"{deed}\0{subject}".encode()).hexdigest()
