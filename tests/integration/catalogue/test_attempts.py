"""Counted attempts: exact under concurrency, forgotten when their window is over."""

import threading

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.attempts import count_attempt, take_attempt_back
from deep_images_hub.wiring import Hub


def count(connection: Connection, subject: str = "ada@example.org", deed: str = "password") -> int:
    return count_attempt(connection, deed=deed, subject=subject, window_s=3600)


def test_attempts_are_counted_by_deed_and_subject_until_their_window_ends(connection: Connection) -> None:
    assert [count(connection) for _ in range(3)] == [1, 2, 3]
    assert count(connection, "bob@example.org") == count(connection, deed="mail") == 1
    take_attempt_back(connection, deed="password", subject="ada@example.org")
    assert count(connection) == 3
    assert "ada" not in str(connection.execute(text("select * from attempts")).all())
    connection.execute(text("update attempts set ends_at = now()"))
    assert count(connection) == 1
    # The first one of a window sweeps out what is over.
    assert connection.scalar(text("select count(*) from attempts")) == 1


def test_attempts_at_the_same_moment_each_count(hub: Hub) -> None:
    counts: list[int] = []

    def attempt() -> None:
        with hub.engine.begin() as connection:
            counts.append(count(connection))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 9))
