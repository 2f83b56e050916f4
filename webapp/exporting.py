"""Opening exports for views: a version, or what is left of it, in a format and for a part, with what is known of its files."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Response

from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.catalogue.export_files import KnownFile, keep_file, known_files
from deep_images_hub.datasets.download import open_export
from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.files import ExportFile
from deep_images_hub.datasets.exports.formats import FORMATS, ExportFormat, file_by_name, format_by_name
from deep_images_hub.datasets.exports.identity import etag_of
from deep_images_hub.datasets.exports.parts import part_from_query
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.errors import NotFoundError, UnavailableError
from deep_images_hub.logs import open_log
from deep_images_hub.wiring import Hub
from webapp.sending import StoredFile, send
from webapp.services import hub, services

# Up to here all files are measured at once for somebody who asks what there is.
MEASURED_UP_TO_IMAGES = 2_000
_KEPT_LENGTHS = 10_000
ZIP = FORMATS["imagefolder"]
log = open_log(__name__)


@dataclass(frozen=True)
class OpenExport:
    """An export in a format, and its files."""

    version: DatasetVersion
    format: ExportFormat
    export: Export
    files: Sequence[ExportFile]

    @cached_property
    def etags(self) -> dict[str, str]:
        """What stands for each file's bytes, by name."""
        return {file.name: etag_of(self.export, self.format, file) for file in self.files}

    @cached_property
    def known(self) -> dict[str, KnownFile]:
        """What is known of files that somebody had to the end before, by name."""
        with hub().engine.connect() as connection:
            found = known_files(connection, self.etags.values())
        return {name: found[etag] for name, etag in self.etags.items() if etag in found}

    def size_bytes(self, file: ExportFile) -> int | None:
        """Return a file's exact length, or None where finding it out would take long."""
        if file.name in self.known:
            return self.known[file.name].size_bytes
        measured, etag = services().measured, self.etags[file.name]
        # Another thread may clear it at any moment.
        with suppress(KeyError):
            return measured[etag]
        size_bytes = file.size_bytes()
        if len(measured) >= _KEPT_LENGTHS:
            measured.clear()
        measured[etag] = size_bytes
        return size_bytes

    def send(self, file_name: str) -> Response:
        """Send a file as it is kept; one that is not is made while it is sent, and kept in the end. Raises NotFoundError."""
        file = file_by_name(self.files, file_name)
        etag, known, kept = self.etags[file.name], self.known.get(file.name), services().kept
        if known is not None and (key := kept.key_of(etag)):
            try:
                stored = StoredFile(file.name, file.media_type, hub().store, key)
                return send(stored, etag=etag, size_bytes=known.size_bytes, sha256=known.sha256)
            except (NotFoundError, UnavailableError) as error:
                log.warning("kept_file_is_unusable", etag=etag, key=key, message=str(error))
                kept.forget(etag)
        keeping = kept.keeping(file, etag=etag, version=self.version, known=known)
        sha256 = None if known is None else known.sha256
        return send(file, etag=etag, size_bytes=self.size_bytes(file), sha256=sha256, beside=keeping)

    def find_out(self, file_name: str) -> KnownFile:
        """Return the length and sha256 of a file; where nobody had it before, all of it is read for that."""
        if file_name not in self.known:
            digest, size_bytes = hashlib.sha256(), 0
            for block in file_by_name(self.files, file_name).blocks():
                digest.update(block)
                size_bytes += len(block)
            self.known[file_name] = KnownFile(size_bytes, digest.hexdigest())
            _keep(hub(), self.etags[file_name], self.known[file_name])
        return self.known[file_name]

    def manifest(self) -> dict[str, Any]:
        """Return the files with their sizes, and their sha256 where somebody had them before."""
        export = self.export
        is_small = export.image_counts.total() <= MEASURED_UP_TO_IMAGES
        return {
            "digest": self.version.digest,
            "format": self.format.name,
            "part": export.part.query,
            "taken_down": list(export.taken_down),
            "files": [
                {
                    "name": file.name,
                    "images": file.image_count,
                    "size_bytes": self.size_bytes(file) if is_small or file.name in self.known else None,
                    "sha256": self.known[file.name].sha256 if file.name in self.known else None,
                }
                for file in self.files
            ],
        }


def open_exported(version_id: int, format_name: str, asked: Mapping[str, str]) -> OpenExport:
    """Open an export of a version, or of what is left of it, for the part that the values of an address ask for.

    Raises:
        NotFoundError: there is no such version or format, or nothing in this part.
        ConflictError: nothing is left of the version.
        InvalidInputError: the part cannot be.
    """
    export_format = format_by_name(format_name)
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
    export = _export(version, asked)
    if not export.counts:
        raise NotFoundError("This part of the dataset has no picture. Ask for another split or label.")
    return OpenExport(version, export_format, export, export_format.files(export))


def _keep(hub: Hub, etag: str, file: KnownFile) -> None:
    try:
        with hub.engine.begin() as connection:
            keep_file(connection, etag=etag, file=file)
    except UnavailableError as error:
        # Somebody has just got all of it, and must not be told otherwise for this.
        log.warning("export_file_not_kept", etag=etag, message=str(error))


def whole_of(version: DatasetVersion) -> Export:
    """Return the export of a whole version, which must be the one to use in its place."""
    return _export(version, {})


def _export(version: DatasetVersion, asked: Mapping[str, str]) -> Export:
    counts = services().composition(version.id)
    part = part_from_query(asked, label_codes={count.label_code for count in counts})
    return open_export(version, engine=hub().engine, store=hub().store, part=part, counts=counts)
