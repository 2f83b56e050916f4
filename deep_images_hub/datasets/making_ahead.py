"""Make the files of new datasets ahead that people take as a whole, so that the first download is as fast as those after it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from deep_images_hub.catalogue.datasets import DatasetVersion, versions
from deep_images_hub.catalogue.export_files import known_files
from deep_images_hub.datasets.download import open_export
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.exports.identity import etag_of
from deep_images_hub.datasets.keeping import KeptFiles

# What people take first, and what training reads. The others are kept once somebody had them.
AHEAD = ("imagefolder", "webdataset")
# A dataset that nobody had made ahead by then is put together for whoever comes first.
_NEW = timedelta(days=1)
_LATEST_VERSIONS = 50
# What somebody asked for within so many days gives way to nothing that nobody asked for yet.
_SPARED_DAYS = 7


class MakingAhead:
    """Makes the files of one new dataset after the other. For one thread."""

    def __init__(self, kept: KeptFiles, *, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Name the kept files. should_stop: asked again and again while a file is made, which is given up then."""
        self._kept = kept
        self._should_stop = should_stop
        # What was looked at is not looked at again, made or not; another process may, and finds what is there.
        self._seen: set[int] = set()

    def make_next(self) -> int | None:
        """Make what has room of the oldest new dataset that was not looked at; return its id, or None where there is none.

        Brings what is kept down to its room, too. Raises UnavailableError when the catalogue or the store cannot be reached.
        """
        self._kept.shrink()
        with self._kept.engine.connect() as connection:
            latest = versions(connection, limit=_LATEST_VERSIONS)
        new_from = datetime.now(UTC) - _NEW
        new = [of for of in latest if of.id not in self._seen and of.created_at > new_from and of.patched_by is None]
        if not new or not self._kept.room_bytes:
            return None
        self._seen.add(new[-1].id)
        self.make(new[-1])
        return new[-1].id

    def make(self, version: DatasetVersion) -> None:
        """Make those files of a whole dataset that have room."""
        kept = self._kept
        export = open_export(version, engine=kept.engine, store=kept.store)
        for export_format in (FORMATS[name] for name in AHEAD):
            for file in export_format.files(export):
                etag = etag_of(export, export_format, file)
                with kept.engine.connect() as connection:
                    known = known_files(connection, [etag]).get(etag)
                keeping = kept.keeping(file, etag=etag, version=version, known=known)
                keeping.begin(None if known is None else known.size_bytes, spared_days=_SPARED_DAYS)
                if not keeping.is_under_way:
                    continue
                try:
                    for block in file.blocks():
                        if self._should_stop():
                            return
                        keeping.add(block)
                    keeping.end()
                finally:
                    # Nothing where it was kept.
                    keeping.give_up()
