"""Receive an upload's files in parts, let whole ones land where intake finds them, and make the upload a batch.

Parts lie in the object store, and which of them count is in the catalogue: so any process of the portal goes on where another was
killed, and of two who send the same part one is taken. Only whole files land, and a batch's manifest comes after all of them.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore

from sqlalchemy import Engine

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.batches import batch_by_key, create_batch
from deep_images_hub.catalogue.object_keys import hold_off_sweeps
from deep_images_hub.catalogue.places import add_place, place_by_id
from deep_images_hub.catalogue.uploads import (
    add_part,
    check_open,
    file_landed,
    forget_upload,
    is_known,
    leave_out,
    part_keys,
    receive_again,
    seal,
    upload_by_key,
    upload_file,
)
from deep_images_hub.catalogue.users import User
from deep_images_hub.errors import ConflictError, NotFoundError
from deep_images_hub.images.examine import ExaminationLimits, examine, limits_from_settings
from deep_images_hub.images.exif_block import position_of, taken_at_of, without_position
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.places.gazetteer import load_gazetteer
from deep_images_hub.places.nearest import nearest_place
from deep_images_hub.places.place import Place
from deep_images_hub.settings import Settings
from deep_images_hub.uploads.upload import (
    MAX_PARTS,
    PART_BYTES,
    Upload,
    UploadFile,
    landed_key,
    manifest_of,
    new_part_key,
    place_of,
)

# Photographs that a process has whole in memory and decodes at once, when they are sent: the largest allowed PNG takes 600 MB.
_PHOTOGRAPHS_AT_ONCE = 1


@dataclass(frozen=True)
class Receiver:
    """Receives for one hub. Safe to share between threads.

    Attributes:
        limits: what photographs are held against when they have landed.
        places: the known ones.
        room: entered while a whole photograph is in memory; bounds how many are.
    """

    engine: Engine
    store: ObjectStore
    limits: ExaminationLimits
    places: Iterable[Place]
    room: AbstractContextManager[object] = field(default_factory=nullcontext)

    def receive(self, user: User, key: str, position: int, *, offset: int, read: Callable[[int], bytes]) -> UploadFile:
        """Take in what comes of a file from a byte on, and let it land once it is whole.

        Args:
            offset: the byte with which it goes on: as many as have been received.
            read: gives at most so many bytes; fewer only at the end or where the sender was cut off. What came is kept.

        Raises:
            NotFoundError: there is no such file in an upload of this account.
            ConflictError: the file goes on elsewhere; or it is not what it was said to be, or came in too many parts: then all of
                it has to come again.
        """
        upload, file = self._find(user, key, position)
        if not file.has_landed:
            check_open(upload)
        if offset != file.received_bytes:
            raise ConflictError(
                f"This file goes on at byte {file.received_bytes}, not at {offset}. Ask how far it has come first."
            )
        if not file.has_landed:
            self._bound_parts(upload, file)
        while file.received_bytes < file.size_bytes:
            body = read(min(PART_BYTES, file.size_bytes - file.received_bytes))
            if not body:
                return file
            file = self._keep(upload, file, body)
        return file if file.has_landed else self._land(upload, file)

    def finish(self, user: User, key: str) -> str:
        """Make an upload a batch, and return the batch's key. Again, or after being killed anywhere: the same batch.

        Raises:
            NotFoundError: there is no such upload of this account, and no batch of it.
            ConflictError: something has not arrived yet, or nothing is in it.
        """
        try:
            upload, sealed_at, place = self._seal(user, key)
        except NotFoundError:
            # Before, or at this very moment by a second click.
            return self._finished_before(user, key)
        said = manifest_of(
            upload,
            supplier_email=user.email,
            supplier_name=user.display_name,
            place_query=upload.place_query or (place.city_name if place else None),
            submitted_at=sealed_at,
        )
        self.store.flush()
        self.store.create(said.key, said.to_json(), "application/json")
        with self.engine.begin() as connection:
            hold_off_sweeps(connection)
            # What was said when it was written: the supplier may have another name since, and another address.
            manifest = manifest_from_json(self.store.read(said.key))
            create_batch(connection, manifest=manifest, place_id=upload.place_id, supplier_id=upload.supplier_id)
            forget_upload(connection, upload=upload)
        return key

    def leave_out(self, user: User, key: str, position: int) -> None:
        """Take a file out of an upload. Nothing happens where it is not there. Raises NotFoundError and ConflictError."""
        with self.engine.begin() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=user.id, locks=True)
            keys = part_keys(connection, upload=upload, position=position)
            keys += [file.object_key for file in upload.files if file.position == position and file.object_key]
            leave_out(connection, upload=upload, position=position)
        self._remove(keys)

    def thumbnail(self, user: User, key: str, position: int) -> bytes:
        """Return a small JPEG of a photograph that has landed. Raises NotFoundError, also where there is no picture in it."""
        _, file = self._find(user, key, position)
        if file.object_key is None:
            raise NotFoundError(f"{file.filename} has not arrived whole.")
        with self.room:
            picture = examine(self.store.read(file.object_key), self.limits).picture
        if picture is None:
            raise NotFoundError(f"{file.filename} is no picture that can be shown.")
        return picture.thumbnail_jpeg

    def discard(self, user: User, key: str) -> None:
        """Forget an upload and all that was received for it. Raises NotFoundError; ConflictError when it is being finished."""
        with self.engine.begin() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=user.id, locks=True)
            check_open(upload)
            keys = part_keys(connection, upload=upload) + [file.object_key for file in upload.files if file.object_key]
            forget_upload(connection, upload=upload)
        self._remove(keys)

    def _seal(self, user: User, key: str) -> tuple[Upload, datetime, Place | None]:
        """Let everything land and nothing more come, and return the upload as it stays, since when, and its place."""
        with self.engine.connect() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=user.id)
        for file in upload.files:
            # A portal that was killed right behind the last byte.
            if file.received_bytes == file.size_bytes and not file.has_landed:
                self._land(upload, file)
        with self.engine.begin() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=user.id, locks=True)
            _check_whole(upload)
            found_place = place_of(upload.files) if upload.uses_positions else None
            sealed_at = seal(connection, upload=upload, place_id=found_place)
            upload = upload_by_key(connection, key=key, supplier_id=user.id)
            place = None if upload.place_id is None else place_by_id(connection, upload.place_id)
        return upload, sealed_at, place

    def _find(self, user: User, key: str, position: int) -> tuple[Upload, UploadFile]:
        with self.engine.connect() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=user.id)
            return upload, upload_file(connection, upload=upload, position=position)

    def _keep(self, upload: Upload, file: UploadFile, body: bytes) -> UploadFile:
        """Keep a part, and return the file as it is then."""
        part_key = new_part_key(upload.key, file.position, file.received_bytes)
        self.store.create(part_key, body)
        with self.engine.begin() as connection:
            is_next = add_part(connection, upload=upload, file=file, size_bytes=len(body), object_key=part_key)
        if not is_next:
            self._remove([part_key])
            raise ConflictError(
                "Somebody else sends the same file at this moment. Ask how far it has come, and go on from there."
            )
        with self.engine.connect() as connection:
            return upload_file(connection, upload=upload, position=file.position)

    def _land(self, upload: Upload, file: UploadFile) -> UploadFile:
        """Put a whole file where intake finds it, without where it was taken, and look at it. Again: nothing changes."""
        with self.room:
            with self.engine.connect() as connection:
                keys = part_keys(connection, upload=upload, position=file.position)
            try:
                body = b"".join(self.store.read(key) for key in keys)
            except NotFoundError:
                body = b""
            if len(body) != file.size_bytes:
                return self._landed_elsewhere(upload, file, keys)
            self._hold_against_sender(upload, file, body, keys)
            place = self._place_of(body) if upload.uses_positions else None
            taken_at = taken_at_of(body)
            body = without_position(body)
            sha256 = hashlib.sha256(body).hexdigest()
            reason = examine(body, self.limits).reason
        object_key = landed_key(upload.key, file)
        with self.engine.begin() as connection:
            hold_off_sweeps(connection)
            self.store.create(object_key, body)
            if is_known(connection, upload=upload, file=file, sha256=sha256):
                reason = "exact_duplicates"
            file_landed(
                connection,
                upload=upload,
                position=file.position,
                object_key=object_key,
                landed_sha256=sha256,
                taken_at=taken_at,
                place_id=None if place is None else add_place(connection, place),
                is_examined=True,
                expected_reason=reason,
            )
        self._remove(keys)
        return self._as_it_is(upload, file)

    def _bound_parts(self, upload: Upload, file: UploadFile) -> None:
        """Refuse to go on with a file of too many parts: they are put together while nobody else's photograph can be."""
        with self.engine.begin() as connection:
            keys = part_keys(connection, upload=upload, position=file.position)
            if len(keys) < MAX_PARTS or file.received_bytes == file.size_bytes:
                return
            receive_again(connection, upload=upload, file=file)
        self._remove(keys)
        raise ConflictError(
            f"{file.filename} came in {len(keys):,} parts and is not whole. Send it again from its beginning, in parts of "
            f"{PART_BYTES >> 20} MiB."
        )

    def _hold_against_sender(self, upload: Upload, file: UploadFile, body: bytes, keys: list[str]) -> None:
        if file.sha256 is None or hashlib.sha256(body).hexdigest() == file.sha256:
            return
        with self.engine.begin() as connection:
            receive_again(connection, upload=upload, file=file)
        self._remove(keys)
        raise ConflictError(
            f"{file.filename} did not arrive as it was sent: its sha256 is another. Send it again from its beginning."
        )

    def _landed_elsewhere(self, upload: Upload, file: UploadFile, keys: list[str]) -> UploadFile:
        """Return a file that somebody else has let land at this very moment. Where nobody has, parts are lost: start over."""
        with self.engine.begin() as connection:
            found = upload_file(connection, upload=upload, position=file.position)
            if found.has_landed or part_keys(connection, upload=upload, position=file.position) != keys:
                return found
            receive_again(connection, upload=upload, file=file)
        self._remove(keys)
        raise ConflictError(f"Parts of {file.filename} were lost here. Send it again from its beginning.")

    def _place_of(self, body: bytes) -> Place | None:
        point = position_of(body)
        return None if point is None else nearest_place(self.places, latitude=point[0], longitude=point[1])

    def _as_it_is(self, upload: Upload, file: UploadFile) -> UploadFile:
        with self.engine.connect() as connection:
            return upload_file(connection, upload=upload, position=file.position)

    def _finished_before(self, user: User, key: str) -> str:
        with self.engine.connect() as connection:
            if batch_by_key(connection, key).supplier_id != user.id:
                raise NotFoundError(f"There is no batch with the key {key!r}.")
        return key

    def _remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.store.delete(key)


def _check_whole(upload: Upload) -> None:
    missing = [file for file in upload.files if not file.has_landed]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ConflictError(
            f"{missing[0].filename}{more} has not arrived whole. Send what is missing, or leave it out, then finish."
        )
    if not upload.files:
        raise ConflictError("There is no photograph in this upload yet. Send some, or discard it.")


def open_receiver(engine: Engine, store: ObjectStore, settings: Settings) -> Receiver:
    """Return what receives for a hub in this process."""
    room = BoundedSemaphore(_PHOTOGRAPHS_AT_ONCE)
    return Receiver(engine, store, limits_from_settings(settings), load_gazetteer().places, room)
