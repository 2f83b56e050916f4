"""Files of dataset versions: formats, manifests, and the files themselves, streamed, with ranges."""

from flask import url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.wire import versions as wire
from webapp.access import public, requires
from webapp.api.operations import api
from webapp.exporting import open_exported
from webapp.exports import answer_file, check_unchanged

_FILES = ("application/octet-stream", "application/zip", "application/x-tar", "text/csv", "text/markdown", "application/json")


@api.get("/export-formats", tag="Downloads", answer=wire.ExportFormats)
@public
def list_export_formats() -> wire.ExportFormats:
    """List the formats that versions can be had in."""
    return wire.ExportFormats(formats=[wire.ExportFormat.model_validate(of) for of in FORMATS.values()])


@api.get("/versions/<int:version_id>/exports/<format_name>", tag="Downloads", query=wire.PartAsked, answer=wire.ExportManifest)
@requires("download")
def read_export(version_id: int, format_name: str, query: wire.PartAsked) -> wire.ExportManifest:
    """List the files of a version in a format, or of a part of it; where pictures were taken down, of what is left."""
    opened = open_exported(version_id, format_name, query.model_dump(exclude_none=True))
    manifest = opened.manifest()
    files = [
        wire.ExportedFile(
            **file,
            url=url_for(
                "api.download_export_file",
                version_id=version_id,
                format_name=format_name,
                file_name=file["name"],
                **opened.export.part.query,
                etag=opened.etags[file["name"]],
                _external=True,
            ),
        )
        for file in manifest["files"]
    ]
    return wire.ExportManifest(**{**manifest, "files": files})


@api.get("/versions/<int:version_id>/exports/<format_name>/<file_name>", tag="Downloads", query=wire.FileAsked, gives=_FILES)
@requires("download")
def download_export_file(version_id: int, format_name: str, file_name: str, query: wire.FileAsked) -> ResponseReturnValue:
    """Stream a file of a version, from its first second on.

    With `Range` from where one was broken off; `If-Range`, or `etag` in the address, keeps halves of two files apart. A file
    that somebody had to the end comes with `Repr-Digest`. `manifest.json` and `urls.csv` are there for every format.
    """
    opened = open_exported(version_id, format_name, query.model_dump(exclude_none=True, exclude={"etag"}))
    check_unchanged(opened, file_name)
    return answer_file(opened, file_name)
