"""Decide on the photographs of batches: fetch each, examine it, keep its picture. Knows the store; no catalogue, no Spark."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from deep_images_hub.errors import NotFoundError, UnavailableError
from deep_images_hub.images.examine import Examination, ExaminationLimits, examine, refused_as_missing, refused_as_too_large
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import picture_key, thumbnail_key

_T = TypeVar("_T")
# After so many objects in a row that the store could not give, it is down: the rest is not asked for.
MAX_FAILURES_IN_A_ROW = 8


@dataclass(frozen=True)
class PendingSubmission:
    """A submission that waits for a decision."""

    id: int
    batch_id: int
    position: int
    object_key: str


@dataclass(frozen=True)
class Decision:
    """What was found out about a submission.

    Attributes:
        examination: None where the store failed, which is no verdict: the submission stays pending.
        size_bytes: of the bytes as received; None where they were not read whole.
        problem: what the store, or who speaks for it, said when it failed; None where there is an examination.
        was_stored: its picture or its thumbnail lay in the store already. Where nothing names them yet, a sweep may remove them.
    """

    submission: PendingSubmission
    examination: Examination | None
    size_bytes: int | None = None
    problem: str | None = None
    was_stored: bool = field(default=False, compare=False)


def decide(submissions: Iterable[PendingSubmission], *, store: ObjectStore, limits: ExaminationLimits) -> list[Decision]:
    """Decide on submissions, in their order, and store the picture and the thumbnail of each that decodes.

    Pictures lie under their photograph's hash, and are stored unless they are there: doing it again changes nothing. Flush the
    store before the decisions are told: until then what was stored would not survive a power cut.
    """
    waiting = list(submissions)
    found: list[Future[Decision]] = []
    failures, problem = 0, None
    with _requests(store) as pool:
        for submission, fetched in _fetched_ahead(waiting, pool, store, limits.max_object_bytes):
            body = fetched.result()
            if isinstance(body, _Failed):
                failures, problem = failures + 1, body.problem
                decision = Decision(submission, None, problem=problem)
            else:
                failures = 0
                decision = Decision(submission, _examined(body, limits), len(body) if isinstance(body, bytes) else None)
            found.append(pool.submit(_with_stored_picture, store, decision))
            if failures == MAX_FAILURES_IN_A_ROW:
                break
        decisions = [stored.result() for stored in found]
    return [*decisions, *(Decision(submission, None, problem=problem) for submission in waiting[len(decisions) :])]


def keep_stored(decisions: Iterable[Decision], store: ObjectStore) -> list[Decision]:
    """Store anew what lay in the store already and was swept away since. Call it where no sweep can come between.

    Decisions whose pictures cannot be stored stay pending, as in `decide`.
    """
    kept = [_kept(decision, store) if decision.was_stored else decision for decision in decisions]
    if any(decision.was_stored for decision in kept):
        store.flush()
    return kept


def _kept(decision: Decision, store: ObjectStore) -> Decision:
    assert decision.examination is not None
    assert decision.examination.sha256 is not None
    try:
        for key in (picture_key(decision.examination.sha256), thumbnail_key(decision.examination.sha256)):
            store.stat(key)
    except NotFoundError:
        return _with_stored_picture(store, decision)
    except UnavailableError as error:
        return Decision(decision.submission, None, problem=str(error))
    return decision


class _AtOnce(Executor):
    """Does what it is given before it hands out the future."""

    def submit(self, work: Callable[..., _T], /, *args: Any, **named: Any) -> Future[_T]:
        future: Future[_T] = Future()
        future.set_result(work(*args, **named))
        return future


def _requests(store: ObjectStore) -> Executor:
    """Return what carries out requests to a store, as many at once as are good for it."""
    if store.requests_at_once == 1:
        return _AtOnce()
    return ThreadPoolExecutor(store.requests_at_once, thread_name_prefix="store")


class _Missing:
    """The store has no such object."""


class _TooLarge:
    """The object is longer than what is read."""


@dataclass(frozen=True)
class _Failed:
    """The store cannot be asked, or what it says cannot be believed."""

    problem: str


_Fetched = bytes | _Missing | _TooLarge | _Failed


def _fetched_ahead(
    submissions: Iterable[PendingSubmission], pool: Executor, store: ObjectStore, max_bytes: int
) -> Iterator[tuple[PendingSubmission, Future[_Fetched]]]:
    """Yield submissions in order, with their objects on the way: one, and others behind it as the store takes requests at once.

    That bounds memory, together with max_object_bytes.
    """
    ahead: deque[tuple[PendingSubmission, Future[_Fetched]]] = deque()
    for submission in submissions:
        ahead.append((submission, pool.submit(_fetch, store, submission.object_key, max_bytes)))
        if len(ahead) >= store.requests_at_once:
            yield ahead.popleft()
    yield from ahead


def _fetch(store: ObjectStore, key: str, max_bytes: int) -> _Fetched:
    body = bytearray()
    try:
        for block in store.read_blocks(key):
            body += block
            # The manifest's size is only what the supplier says: the bytes themselves are counted.
            if len(body) > max_bytes:
                return _confirmed(_TooLarge(), store, key, max_bytes)
    except NotFoundError:
        return _confirmed(_Missing(), store, key, max_bytes)
    except UnavailableError as error:
        return _Failed(str(error))
    return bytes(body)


def _confirmed(found: _Missing | _TooLarge, store: ObjectStore, key: str, max_bytes: int) -> _Missing | _TooLarge | _Failed:
    """Ask the store once more where a photograph would be rejected on its word alone, without any bytes that speak for it."""
    try:
        size_bytes: int | None = store.stat(key).size_bytes
    except NotFoundError:
        size_bytes = None
    except UnavailableError as error:
        return _Failed(str(error))
    is_confirmed = size_bytes is None if isinstance(found, _Missing) else size_bytes is not None and size_bytes > max_bytes
    if is_confirmed:
        return found
    return _Failed(f"The store contradicts itself about {key!r}. Check it, and whatever lies between it and here.")


def _examined(body: bytes | _Missing | _TooLarge, limits: ExaminationLimits) -> Examination:
    if isinstance(body, _Missing):
        return refused_as_missing()
    if isinstance(body, _TooLarge):
        return refused_as_too_large(limits)
    return examine(body, limits)


def _with_stored_picture(store: ObjectStore, decision: Decision) -> Decision:
    """Store what is kept of a photograph. Returns the decision, or that the store failed."""
    examination = decision.examination
    if examination is None or examination.picture is None or examination.sha256 is None:
        return decision
    try:
        is_new = store.create(picture_key(examination.sha256), examination.picture.jpeg, "image/jpeg")
        is_new &= store.create(thumbnail_key(examination.sha256), examination.picture.thumbnail_jpeg, "image/jpeg")
    except UnavailableError as error:
        return Decision(decision.submission, None, problem=str(error))
    return decision if is_new else replace(decision, was_stored=True)
