"""Keep files of exports in the store: what is put together once is sent from then on as it lies there.

A version never changes, and an ETag stands for all that a file's bytes depend on, so a kept file is never out of date: after a
takedown, or once a supplier's name was taken back, nobody asks for its ETag. It is forgotten then all the same, and removed.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from sqlalchemy import Engine

from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.catalogue.export_files import KnownFile, keep_file
from deep_images_hub.catalogue.kept_files import (
    begin_keeping,
    end_keeping,
    forget_beyond,
    forget_file,
    give_up_keeping,
    kept_file,
    next_forgotten,
    note_use,
    remove_row,
)
from deep_images_hub.datasets.exports.files import ExportFile
from deep_images_hub.errors import ConflictError, UnavailableError
from deep_images_hub.logs import open_log
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import export_key
from deep_images_hub.settings import Settings

log = open_log(__name__)


@dataclass(frozen=True)
class KeptFiles:
    """The kept files of a hub. Safe to share between threads.

    Attributes:
        room_bytes: of all together; 0: none is kept.
    """

    engine: Engine
    store: ObjectStore
    room_bytes: int

    def key_of(self, etag: str) -> str | None:
        """Return the key of a kept file, which somebody asks for now, or None."""
        if not self.room_bytes:
            return None
        with self.engine.begin() as connection:
            found = kept_file(connection, etag)
            if found is not None:
                note_use(connection, found.id)
        return None if found is None else found.object_key

    def forget(self, etag: str) -> None:
        """Let go of a kept file that is not as it was kept."""
        with self.engine.begin() as connection:
            if found := kept_file(connection, etag):
                forget_file(connection, found.id)
        self.remove_forgotten()

    def remove_forgotten(self) -> None:
        """Remove what nobody gets any more."""
        remove_forgotten(self.engine, self.store)

    def shrink(self) -> None:
        """Forget what has no room, as where the setting is lower than before, and remove all that is forgotten."""
        with self.engine.begin() as connection:
            forget_beyond(connection, self.room_bytes)
        self.remove_forgotten()

    def keeping(self, file: ExportFile, *, etag: str, version: DatasetVersion, known: KnownFile | None) -> "Keeping":
        """Return what keeps a file whose bytes come by, and writes down what they were.

        Args:
            known: what an earlier download found out.
        """
        return Keeping(self, file, etag=etag, version=version, known=known)


class Keeping:
    """Takes the bytes of a whole file in their order, and keeps them. Nothing that fails here fails for whoever sends them."""

    def __init__(self, kept: KeptFiles, file: ExportFile, *, etag: str, version: DatasetVersion, known: KnownFile | None) -> None:
        self._kept, self._file, self._etag, self._version, self._known = kept, file, etag, version, known
        self._key = export_key(etag, secrets.token_hex(8))
        self._row_id: int | None = None
        self._writing = ExitStack()
        self._add: Callable[[bytes], None] | None = None
        self._digest, self._size_bytes = hashlib.sha256(), 0

    @property
    def is_under_way(self) -> bool:
        """Whether the file is to be kept."""
        return self._add is not None

    def begin(self, size_bytes: int | None, *, spared_days: int = 0) -> bool:
        """Take up room for the file. False: nobody needs its bytes here, what is to be known of it is known.

        Args:
            size_bytes: its length, where it is known.
            spared_days: other files do not give way that somebody asked for within so many days.
        """
        kept, version = self._kept, self._version
        # Of what has no known length the pictures say about how long it is.
        about = version.size_bytes * self._file.image_count // version.image_count if size_bytes is None else size_bytes
        # What is about no picture is put together at once.
        if self._file.image_count and about <= kept.room_bytes:
            try:
                with kept.engine.begin() as connection:
                    self._row_id = begin_keeping(
                        connection,
                        etag=self._etag,
                        version_id=version.id,
                        credits_revision=version.credits_revision,
                        object_key=self._key,
                        size_bytes=about,
                        room_bytes=kept.room_bytes,
                        spared_days=spared_days,
                    )
                kept.remove_forgotten()
                if self._row_id is not None:
                    self._add = self._writing.enter_context(kept.store.creating(self._key, self._file.media_type))
            except UnavailableError as error:
                self._fail(error)
        return self.is_under_way or self._known is None

    def add(self, block: bytes) -> None:
        """Take the next bytes."""
        self._digest.update(block)
        self._size_bytes += len(block)
        if self._add is not None:
            try:
                self._add(block)
            except UnavailableError as error:
                self._fail(error)

    def end(self) -> None:
        """Write down what the file was, and give it out to whoever comes next. All its bytes have come by."""
        found = KnownFile(self._size_bytes, self._digest.hexdigest())
        try:
            if self._known is None:
                with self._kept.engine.begin() as connection:
                    keep_file(connection, etag=self._etag, file=found)
            elif found != self._known:
                # A picture was altered in the store: whoever compares sha256s saw it, and the next one shall too.
                log.warning("export_file_differs", etag=self._etag, expected=self._known.sha256, found=found.sha256)
                self.give_up()
            if self._add is not None:
                self._writing.close()
                self._give_out()
        except (UnavailableError, ConflictError) as error:
            # Somebody has just got all of it, and must not be told otherwise for this.
            self._fail(error)

    def give_up(self) -> None:
        """Keep nothing: the bytes broke off, or are not those that they were. What was given out stays."""
        if self._row_id is None:
            return
        self._add = None
        # As if its block had raised: there is no object then.
        broken = _BrokenOffError()
        with suppress(UnavailableError):
            self._writing.__exit__(type(broken), broken, None)
        try:
            # There is one where it could not be given out.
            self._kept.store.delete(self._key)
            with self._kept.engine.begin() as connection:
                give_up_keeping(connection, self._row_id)
        except UnavailableError as error:
            # After a day somebody else does.
            log.warning("kept_file_left", etag=self._etag, message=str(error))
        self._row_id = None

    def _give_out(self) -> None:
        assert self._row_id is not None
        kept = self._kept
        with kept.engine.begin() as connection:
            is_named = end_keeping(connection, self._row_id, size_bytes=self._size_bytes, room_bytes=kept.room_bytes)
        self._row_id = None
        if not is_named:
            kept.store.delete(self._key)
        kept.remove_forgotten()

    def _fail(self, error: Exception) -> None:
        log.warning("export_file_not_kept", etag=self._etag, message=str(error))
        self.give_up()


class _BrokenOffError(Exception):
    """Not all of a file came by."""


def open_kept_files(engine: Engine, store: ObjectStore, settings: Settings) -> KeptFiles:
    """Return the kept files of a hub, with the room that its settings give them."""
    return KeptFiles(engine, store, round(settings.kept_downloads_gb * 1e9))


def remove_forgotten(engine: Engine, store: ObjectStore) -> None:
    """Remove the objects of files that nobody gets any more. Where the store is away, whoever comes next goes on."""
    try:
        while True:
            with engine.begin() as connection:
                if (found := next_forgotten(connection)) is None:
                    return
                store.delete(found.object_key)
                remove_row(connection, found.id)
    except UnavailableError as error:
        log.warning("kept_files_left", message=str(error))
