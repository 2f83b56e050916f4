"""Receiving photographs in parts: any process goes on where another was cut off or killed, over a folder and over S3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.batches import batch_by_key, submissions_of
from deep_images_hub.catalogue.uploads import abandoned_uploads, add_file, forget_abandoned, start_upload, upload_by_key
from deep_images_hub.catalogue.users import change_email, user_by_email
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from deep_images_hub.images.examine import limits_from_settings
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import manifest_key
from deep_images_hub.places.gazetteer import load_gazetteer
from deep_images_hub.uploads import receiving
from deep_images_hub.uploads.receiving import Receiver
from deep_images_hub.uploads.upload import NewFile, NewUpload, Upload, UploadFile, UploadLimits
from deep_images_hub.wiring import Hub
from tests.builders import HubBuilder, photograph

if TYPE_CHECKING:
    from tests.conftest import HubOf
    from tests.swift_server import SwiftServer

LIMITS = UploadLimits(max_file_bytes=1_000_000, max_photographs=3, max_photographs_per_day=100)
BODY = photograph("received", (320, 240))


class Sender:
    """Somebody who sends to a hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.builder = HubBuilder(hub)
        self.builder.labels({"apple": "Apple"})
        self.user = self.builder.user("supplier")
        self.receiver = Receiver(hub.engine, hub.store, limits_from_settings(hub.settings), load_gazetteer().places)

    def begin(self, **said: object) -> str:
        new = NewUpload(label_id=self.builder.label("apple").id, licence="by", **said)
        with self.hub.engine.begin() as connection:
            return start_upload(connection, supplier_id=self.user.id, new=new)

    def add(self, key: str, new: NewFile, limits: UploadLimits = LIMITS) -> UploadFile:
        with self.hub.engine.begin() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=self.user.id, locks=True)
            return add_file(connection, upload=upload, new=new, limits=limits)

    def send(self, key: str, name: str, body: bytes) -> UploadFile:
        file = self.add(key, NewFile(name, len(body)))
        return self.receive(key, file, 0, body)

    def receive(self, key: str, file: UploadFile, offset: int, body: bytes, receiver: Receiver | None = None) -> UploadFile:
        read = io.BytesIO(body).read
        return (receiver or self.receiver).receive(self.user, key, file.position, offset=offset, read=read)

    def files(self, key: str) -> list[UploadFile]:
        with self.hub.engine.connect() as connection:
            return list(upload_by_key(connection, key=key, supplier_id=self.user.id).files)


@pytest.fixture(scope="module", params=["folder", "s3"])
def any_sender(request: pytest.FixtureRequest, hub_of: HubOf) -> Iterator[Sender]:
    with ExitStack() as stack:
        given: dict[str, str] = {}
        if request.param == "s3":
            swift: SwiftServer = request.getfixturevalue("swift")
            given = swift.settings(f"s3://{swift.new_bucket()}/hub")
        yield Sender(stack.enter_context(hub_of(**given)))


@pytest.fixture(scope="module")
def sender(hub_of: HubOf) -> Iterator[Sender]:
    with hub_of() as hub:
        yield Sender(hub)


def test_file_that_came_in_parts_lands_whole_and_nothing_else_stays(any_sender: Sender, monkeypatch) -> None:
    sender, store = any_sender, any_sender.hub.store
    monkeypatch.setattr(receiving, "PART_BYTES", 1000)
    key = sender.begin()
    file = sender.add(key, NewFile("1.jpg", len(BODY), hashlib.sha256(BODY).hexdigest()))
    assert sender.receive(key, file, 0, BODY[:2500]).received_bytes == 2500
    # Another process, which knows nothing of the first.
    again = replace(sender.receiver)
    landed = sender.receive(key, file, 2500, BODY[2500:], receiver=again)

    assert (landed.state, landed.landed_sha256) == ("good", file.sha256)
    assert again.finish(sender.user, key) == sender.receiver.finish(sender.user, key) == key
    manifest = manifest_from_json(store.read(manifest_key(key)))
    assert [store.read(sent.object_key) for sent in manifest.objects] == [BODY]
    assert [found.key for found in store.list("uploads/")] == []
    with sender.hub.engine.connect() as connection:
        assert batch_by_key(connection, key).status == "pending"


def test_part_goes_on_where_the_file_ends_and_nowhere_else(sender: Sender) -> None:
    key = sender.begin()
    file = sender.add(key, NewFile("1.jpg", len(BODY)))
    sender.receive(key, file, 0, BODY[:100])
    for offset in (0, 99, 101, len(BODY)):
        with pytest.raises(ConflictError, match="goes on at byte 100"):
            sender.receive(key, file, offset, BODY[offset:])
    # What is behind the file's end is nobody's.
    landed = sender.receive(key, file, 100, BODY[100:] + b"more")
    assert sender.hub.store.read(landed.object_key or "") == BODY
    # Its end was not heard of: asked again, it is there.
    assert sender.receive(key, file, len(BODY), b"") == landed


def test_two_who_send_the_same_part_at_once_keep_one(sender: Sender) -> None:
    key = sender.begin()
    file = sender.add(key, NewFile("1.jpg", len(BODY)))

    def read_while_another_sends(size_bytes: int) -> bytes:
        sender.receive(key, file, 0, BODY[:50])
        return BODY[:size_bytes]

    with pytest.raises(ConflictError, match="Somebody else"):
        sender.receiver.receive(sender.user, key, file.position, offset=0, read=read_while_another_sends)
    assert [found.size_bytes for found in sender.hub.store.list(f"uploads/{key}/")] == [50]
    assert sender.receive(key, file, 50, BODY[50:]).has_landed


class _DeadStore:
    """A store that stops answering at some key: as far as it came is what a killed process leaves."""

    def __init__(self, store: ObjectStore, dies_at: Callable[[str], bool], *, is_unreadable: bool = False) -> None:
        self._store = store
        self._dies_at = dies_at
        self._is_unreadable = is_unreadable

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def create(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        if self._dies_at(key):
            raise UnavailableError("killed")
        return self._store.create(key, body, content_type)

    def read(self, key: str) -> bytes:
        if self._is_unreadable:
            raise UnavailableError("killed")
        return self._store.read(key)


@pytest.mark.parametrize("dies_at", ["landing/", "manifest.json"])
def test_portal_that_died_at_the_end_is_followed_by_one_that_finishes(sender: Sender, dies_at: str) -> None:
    key = sender.begin()
    file = sender.add(key, NewFile("1.jpg", len(BODY)))
    dead = replace(sender.receiver, store=_DeadStore(sender.hub.store, lambda key: dies_at in key))

    def send_and_finish() -> None:
        sender.receive(key, file, 0, BODY, receiver=dead)
        dead.finish(sender.user, key)

    with pytest.raises(UnavailableError):
        send_and_finish()
    assert sender.files(key)[0].received_bytes == len(BODY)
    with sender.hub.engine.connect() as connection, pytest.raises(NotFoundError):
        batch_by_key(connection, key)

    assert sender.receiver.finish(sender.user, key) == key
    with sender.hub.engine.connect() as connection:
        assert [sent.filename for sent in submissions_of(connection, batch_key=key)] == ["1.jpg"]


def test_upload_that_is_being_finished_takes_nothing_more(sender: Sender, monkeypatch) -> None:
    key = sender.begin()
    sender.send(key, "1.jpg", BODY)

    def die(*_arguments: object, **_more: object) -> int:
        raise UnavailableError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "create_batch", die)
        with pytest.raises(UnavailableError):
            sender.receiver.finish(sender.user, key)
    with pytest.raises(ConflictError, match="being finished"):
        sender.add(key, NewFile("2.jpg", 10))
    with pytest.raises(ConflictError, match="being finished"):
        sender.receiver.leave_out(sender.user, key, 0)
    with pytest.raises(ConflictError, match="being finished"):
        sender.receiver.discard(sender.user, key)
    # Nor does a sweep take it for given up, however long ago that was: its supplier has done all there is to do.
    later = datetime.now(UTC) + timedelta(days=30)
    with sender.hub.engine.begin() as connection:
        assert key not in abandoned_uploads(connection, before=later)
        assert not forget_abandoned(connection, key=key, before=later)
    assert sender.receiver.finish(sender.user, key) == key


def test_upload_that_is_finished_twice_at_once_is_one_batch_for_both(sender: Sender, monkeypatch) -> None:
    key = sender.begin()
    sender.send(key, "1.jpg", BODY)

    def find(connection: Connection, *, locks: bool = False, **said: Any) -> Upload:
        if locks:
            monkeypatch.setattr(receiving, "upload_by_key", upload_by_key)
            assert sender.receiver.finish(sender.user, key) == key
        return upload_by_key(connection, locks=locks, **said)

    monkeypatch.setattr(receiving, "upload_by_key", find)
    assert sender.receiver.finish(sender.user, key) == key
    monkeypatch.undo()
    with pytest.raises(NotFoundError):
        sender.files(key)


def test_batch_belongs_to_who_sent_it_also_under_another_address(sender: Sender) -> None:
    key = sender.begin()
    sender.send(key, "1.jpg", BODY)
    dead = replace(sender.receiver, store=_DeadStore(sender.hub.store, lambda _key: False, is_unreadable=True))
    with pytest.raises(UnavailableError):
        dead.finish(sender.user, key)
    with sender.hub.engine.begin() as connection:
        change_email(connection, sender.user, "elsewhere@example.org", changed_by=sender.user.id)
    try:
        assert sender.receiver.finish(replace(sender.user, email="elsewhere@example.org"), key) == key
        with sender.hub.engine.connect() as connection:
            assert batch_by_key(connection, key).supplier_id == sender.user.id
            assert user_by_email(connection, sender.user.email) is None
    finally:
        with sender.hub.engine.begin() as connection:
            change_email(connection, sender.user, sender.user.email, changed_by=sender.user.id)


def test_file_whose_parts_were_lost_or_are_too_many_has_to_come_again(sender: Sender, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "MAX_PARTS", 3)
    key = sender.begin()
    lost, many = (sender.add(key, NewFile(f"{name}.jpg", len(BODY))) for name in ("lost", "many"))
    sender.receive(key, lost, 0, BODY[:100])
    for part in list(sender.hub.store.list(f"uploads/{key}/")):
        sender.hub.store.delete(part.key)
    with pytest.raises(ConflictError, match="were lost here"):
        sender.receive(key, lost, 100, BODY[100:])

    for offset in range(3):
        sender.receive(key, many, offset, BODY[offset : offset + 1])
    with pytest.raises(ConflictError, match="came in 3 parts and is not whole"):
        sender.receive(key, many, 3, BODY[3:])

    assert [file.received_bytes for file in sender.files(key)] == [0, 0]
    assert list(sender.hub.store.list(f"uploads/{key}/")) == []
    assert all(sender.receive(key, file, 0, BODY).has_landed for file in (lost, many))


def test_file_that_is_not_what_was_said_has_to_come_again(sender: Sender) -> None:
    key = sender.begin()
    file = sender.add(key, NewFile("1.jpg", len(BODY), hashlib.sha256(BODY).hexdigest()))
    with pytest.raises(ConflictError, match="did not arrive as it was sent"):
        sender.receive(key, file, 0, bytes(len(BODY)))
    assert sender.files(key)[0].received_bytes == 0
    assert list(sender.hub.store.list(f"uploads/{key}/")) == []
    assert sender.receive(key, file, 0, BODY).has_landed


def test_unfinished_upload_becomes_no_batch_until_it_is_whole_or_left_out(sender: Sender) -> None:
    key = sender.begin()
    with pytest.raises(ConflictError, match="no photograph"):
        sender.receiver.finish(sender.user, key)
    sender.send(key, "1.jpg", BODY)
    part = sender.add(key, NewFile("2.jpg", 5000))
    sender.receive(key, part, 0, bytes(100))
    with pytest.raises(ConflictError, match=r"2\.jpg has not arrived whole"):
        sender.receiver.finish(sender.user, key)
    sender.receiver.leave_out(sender.user, key, part.position)
    assert list(sender.hub.store.list(f"uploads/{key}/")) == []
    assert sender.receiver.finish(sender.user, key) == key


def test_same_file_again_is_the_same_and_the_same_bytes_are_said_to_be(sender: Sender) -> None:
    key, body = sender.begin(), photograph("twice")
    first = sender.send(key, "1.jpg", body)
    assert sender.add(key, NewFile("1.jpg", len(body))) == first
    assert sender.send(key, "copy of 1.jpg", body).expected_reason == "exact_duplicates"
    assert first.expected_reason is None


def test_limits_are_said_as_numbers(sender: Sender) -> None:
    key = sender.begin()
    with pytest.raises(InvalidInputError, match=r"has 1\.5 MB\. Expected at most 1 MB"):
        sender.add(key, NewFile("1.jpg", 1_500_000))
    with pytest.raises(InvalidInputError, match="empty"):
        sender.add(key, NewFile("1.jpg", 0))
    for number in range(3):
        sender.add(key, NewFile(f"{number}.jpg", 10))
    with pytest.raises(ConflictError, match="3 photographs, the most"):
        sender.add(key, NewFile("4.jpg", 10))
    with pytest.raises(ConflictError, match="within a day"):
        sender.add(sender.begin(), NewFile("4.jpg", 10), replace(LIMITS, max_photographs_per_day=3))


def test_upload_of_somebody_else_is_not_there(sender: Sender) -> None:
    key = sender.begin()
    file = sender.add(key, NewFile("1.jpg", len(BODY)))
    stranger = sender.builder.user("operator")
    for act in (
        lambda: sender.receiver.receive(stranger, key, file.position, offset=0, read=io.BytesIO(BODY).read),
        lambda: sender.receiver.leave_out(stranger, key, file.position),
        lambda: sender.receiver.discard(stranger, key),
        lambda: sender.receiver.finish(stranger, key),
    ):
        with pytest.raises(NotFoundError):
            act()
    assert sender.files(key) == [file]
    sender.receiver.discard(sender.user, key)
    with pytest.raises(NotFoundError):
        sender.files(key)
