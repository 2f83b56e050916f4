import resource
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from deep_images_hub.errors import UnavailableError
from spark_jobs.stored_pictures import LocalRows


class Computed:
    """Rows of three numbers, each its position, and how often each was computed."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        self.asked += positions.tolist()
        return np.repeat(positions[:, None], 3, axis=1).astype(np.float16)


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Refuse what is written beyond a place in a file, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_local_rows_are_computed_once_and_given_in_the_order_asked_for() -> None:
    computed = Computed()
    rows = LocalRows(computed, 10)

    assert rows.rows(np.array([7, 2, 7]))[:, 0].tolist() == [7, 2, 7]
    assert rows.rows(np.array([9, 2, 0])).tolist() == [[9] * 3, [2] * 3, [0] * 3]

    assert computed.asked == [2, 7, 0, 9]
    assert rows.rows(np.array([9])).dtype == np.float16


def test_local_rows_that_find_no_room_say_how_much_they_need() -> None:
    rows = LocalRows(Computed(), 1_000)
    rows.rows(np.array([0, 1]))

    with files_of_at_most(1_024), pytest.raises(UnavailableError, match=r"1,000 pictures need up to 6,000 bytes.*TMPDIR"):
        rows.rows(np.array([1, 500]))

    assert rows.rows(np.array([500, 1]))[:, 0].tolist() == [500, 1]


def test_local_rows_that_find_no_room_for_the_first_of_them_say_so_too() -> None:
    with files_of_at_most(1_024), pytest.raises(UnavailableError, match="finds no room"):
        LocalRows(Computed(), 1_000).rows(np.array([0]))
