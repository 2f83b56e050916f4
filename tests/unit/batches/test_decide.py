import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deep_images_hub.batches.decide import MAX_FAILURES_IN_A_ROW, Decision, PendingSubmission, decide, keep_stored
from deep_images_hub.errors import NotFoundError, UnavailableError
from deep_images_hub.images.examine import ExaminationLimits, limits_from_settings
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.scenes import render


@dataclass(frozen=True)
class FailingStore(FolderStore):
    """A folder that cannot give the objects whose key has `gone` in it, nor keep what has `full` in its content's key."""

    asked: list[str] | None = None
    full: bool = False
    at_once: int = 1

    @property
    def requests_at_once(self) -> int:
        return self.at_once

    def read_blocks(self, key: str, block_bytes: int = 1 << 20, *, start: int = 0) -> Iterator[bytes]:
        if self.asked is not None:
            self.asked.append(key)
        if "gone" in key:
            raise UnavailableError("The store does not answer.")
        return super().read_blocks(key, block_bytes, start=start)

    def create(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        if self.full and key.startswith("thumbnails/"):
            raise UnavailableError("The store is full.")
        return super().create(key, body, content_type)


@dataclass(frozen=True)
class LyingStore(FolderStore):
    """A folder that gives other bytes than it has, or none."""

    def read_blocks(self, key: str, block_bytes: int = 1 << 20, *, start: int = 0) -> Iterator[bytes]:
        if "lost" in key:
            raise NotFoundError("It was here a moment ago.")
        return iter([bytes(31_000_000)] if "long" in key else [b""])


@pytest.fixture
def limits() -> ExaminationLimits:
    return limits_from_settings(Settings())


def submitted(store: FolderStore, bodies: dict[str, bytes | None]) -> list[PendingSubmission]:
    for name, body in bodies.items():
        if body is not None:
            store.create(f"landing/b/{name}", body)
    return [PendingSubmission(id=10 + n, batch_id=1, position=n, object_key=f"landing/b/{name}") for n, name in enumerate(bodies)]


def outcome(decision: Decision) -> str | None:
    return (decision.examination.reason or "accepted") if decision.examination else None


def test_each_submission_gets_a_decision_in_order_and_pictures_are_stored(tmp_path: Path, limits: ExaminationLimits) -> None:
    store = FolderStore(tmp_path)
    pear = render(0, "Pear", 0)
    bodies = {"0.jpg": pear, "1.jpg": None, "2.jpg": b"<html>", "3.jpg": b"", "4.jpg": pear}
    decisions = decide(submitted(store, bodies), store=store, limits=limits)

    assert [outcome(decision) for decision in decisions] == ["accepted", "missing", "not_an_image", "empty", "accepted"]
    assert [decision.submission.position for decision in decisions] == [0, 1, 2, 3, 4]
    assert [decision.size_bytes for decision in decisions] == [len(pear), None, 6, 0, len(pear)]
    sha256 = hashlib.sha256(pear).hexdigest()
    kept = {stat.key: stat.size_bytes for stat in store.list() if not stat.key.startswith("landing/")}
    assert set(kept) == {f"{area}/{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg" for area in ("images", "thumbnails")}


def test_deciding_again_leaves_the_same_objects(tmp_path: Path, limits: ExaminationLimits) -> None:
    store = FolderStore(tmp_path)
    submissions = submitted(store, {f"{n}.jpg": render(0, "Banana", n) for n in range(3)})
    first = decide(submissions, store=store, limits=limits)
    objects = {stat.key: store.read(stat.key) for stat in store.list()}
    assert decide(submissions, store=store, limits=limits) == first
    assert {stat.key: store.read(stat.key) for stat in store.list()} == objects


def test_what_lay_there_already_is_stored_anew_when_it_is_gone(tmp_path: Path, limits: ExaminationLimits) -> None:
    store = FolderStore(tmp_path)
    waiting = submitted(store, {"1.jpg": render(0, "Banana", 1), "2.jpg": b""})
    first, again = decide(waiting, store=store, limits=limits), decide(waiting, store=store, limits=limits)
    assert [decision.was_stored for decision in [*first, *again]] == [False, False, True, False]
    before = {found.key for found in store.list()}
    for found in [*store.list("images/"), *store.list("thumbnails/")]:
        store.delete(found.key)
        assert [outcome(decision) for decision in keep_stored(again, store)] == ["accepted", "empty"]
        assert {found.key for found in store.list()} == before


def test_object_longer_than_the_limit_is_not_read_whole(tmp_path: Path, limits: ExaminationLimits) -> None:
    store = FolderStore(tmp_path)
    submissions = submitted(store, {"0.jpg": bytes(5_000_000)})
    (decision,) = decide(submissions, store=store, limits=replace(limits, max_object_bytes=2_000_000))
    assert (outcome(decision), decision.size_bytes) == ("too_large", None)


@pytest.mark.parametrize("at_once", [1, 3])
def test_store_that_fails_is_no_verdict(tmp_path: Path, limits: ExaminationLimits, at_once: int) -> None:
    store = FailingStore(tmp_path, at_once=at_once)
    submissions = submitted(store, {"0.jpg": render(0, "Pear", 0), "gone.jpg": b"x", "2.jpg": b""})
    assert [outcome(decision) for decision in decide(submissions, store=store, limits=limits)] == ["accepted", None, "empty"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_store_that_cannot_keep_a_picture_is_no_verdict(tmp_path: Path, limits: ExaminationLimits, at_once: int) -> None:
    store = FailingStore(tmp_path, full=True, at_once=at_once)
    submissions = submitted(store, {"0.jpg": render(0, "Pear", 0), "1.jpg": b""})
    assert [outcome(decision) for decision in decide(submissions, store=store, limits=limits)] == [None, "empty"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_store_that_is_down_is_not_asked_for_ever(tmp_path: Path, limits: ExaminationLimits, at_once: int) -> None:
    asked: list[str] = []
    store = FailingStore(tmp_path, asked=asked, at_once=at_once)
    submissions = submitted(store, {f"gone-{n}.jpg": None for n in range(60)})
    assert {outcome(decision) for decision in decide(submissions, store=store, limits=limits)} == {None}
    assert len(asked) <= MAX_FAILURES_IN_A_ROW + at_once - 1


def test_store_that_contradicts_itself_never_rejects_a_photograph(tmp_path: Path, limits: ExaminationLimits) -> None:
    """It is asked a second time before a photograph is called missing or too large."""
    submissions = submitted(store := LyingStore(tmp_path), {"lost.jpg": b"x", "long.jpg": b"x", "really-lost.jpg": None})
    decisions = decide(submissions, store=store, limits=limits)
    assert [outcome(decision) for decision in decisions] == [None, None, "missing"]
    assert [decision.problem is None for decision in decisions] == [False, False, True]
    assert "contradicts itself about 'landing/b/lost.jpg'" in (decisions[0].problem or "")


def test_problem_of_the_store_comes_with_every_photograph_that_waits(tmp_path: Path, limits: ExaminationLimits) -> None:
    store = FailingStore(tmp_path, full=True)
    submissions = submitted(store, {"0.jpg": render(0, "Pear", 0), **{f"gone-{n}.jpg": None for n in range(20)}})
    problems = [decision.problem for decision in decide(submissions, store=store, limits=limits)]
    assert problems == ["The store is full.", *["The store does not answer."] * 20]
