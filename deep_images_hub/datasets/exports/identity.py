"""What a file of an export is known by: the same ETag, the same bytes. Pure."""

import hashlib
import json

from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.files import ExportFile
from deep_images_hub.datasets.exports.formats import ExportFormat

# How the lists that go with every format are written.
_LISTS_REVISION = 2


def etag_of(export: Export, export_format: ExportFormat, file: ExportFile) -> str:
    """Return what stands for the bytes of a file: all that they depend on."""
    depends_on: list[object] = [
        export.version.digest,
        export.version.name,
        # Patches gain tombstones, and labels get other names.
        list(export.taken_down),
        export.names,
        export_format.name,
        export_format.revision,
        _LISTS_REVISION,
        export.part.key,
        file.name,
    ]
    if export.version.credits_revision:
        depends_on.append(export.version.credits_revision)
    return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:40]
