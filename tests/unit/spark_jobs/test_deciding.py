"""Chunks are kept by a thread of their own while the next one is decided; what goes wrong on either side is not lost."""

import gc
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from deep_images_hub.errors import UnavailableError
from deep_images_hub.settings import Settings
from spark_jobs import deciding


def keep_each(chunks: Iterator[list[Any]]) -> None:
    deciding._keep_each(chunks, Mock(), Mock(), attempt=1)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The chunks that were kept. A chunk that has None cannot be."""
    done: list[list[Any]] = []

    def keep(decisions: list[Any], *_: object) -> None:
        if None in decisions:
            raise UnavailableError("The catalogue is away.")
        done.append(decisions)

    monkeypatch.setattr(deciding, "_keep", keep)
    return done


def test_chunks_are_kept_once_in_order_and_all_of_them_before_the_task_ends(kept: list[list[Any]]) -> None:
    keep_each(iter([[1], [2], [3]]))
    assert kept == [[1], [2], [3]]


def test_nothing_to_decide_keeps_nothing(kept: list[list[Any]]) -> None:
    keep_each(iter([]))
    assert kept == []


@pytest.mark.parametrize("chunks", [[[1], [None]], [[1], [None], [3], [4]]])
def test_chunk_that_cannot_be_kept_ends_the_task_with_the_reason(kept: list[list[Any]], chunks: list[list[Any]]) -> None:
    with pytest.raises(UnavailableError, match="The catalogue is away"):
        keep_each(iter(chunks))
    assert kept == [[1]]


def test_chunk_that_cannot_be_decided_leaves_those_before_it_kept(kept: list[list[Any]]) -> None:
    def chunks() -> Iterator[list[Any]]:
        yield [1]
        raise UnavailableError("The store is away.")

    with pytest.raises(UnavailableError, match="The store is away"):
        keep_each(chunks())
    assert kept == [[1]]


def test_what_a_worker_has_imported_is_not_looked_through_for_garbage_after_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "open_engine", Mock())
    monkeypatch.setattr(deciding, "open_store", Mock())
    try:
        deciding._opened.__wrapped__(Settings())
        assert len(gc.get_objects()) < gc.get_freeze_count()
    finally:
        gc.unfreeze()
