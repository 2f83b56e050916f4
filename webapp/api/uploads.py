"""Sending photographs: begin, add files, send them in parts, finish."""

from flask import request
from sqlalchemy import Connection
from werkzeug.exceptions import UnsupportedMediaType

from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.uploads import add_file, open_uploads, start_upload, upload_by_key, upload_file
from deep_images_hub.uploads.upload import NewFile, Upload, limits_from_settings
from deep_images_hub.wire import uploads as wire
from webapp.access import requires, signed_in_user
from webapp.api.operations import api
from webapp.services import hub, services
from webapp.upload_files import part_reader
from webapp.uploads import new_upload

_PART = ("application/octet-stream",)


@api.get("/uploads", tag="Uploads", answer=wire.Uploads)
@requires("submit")
def list_uploads() -> wire.Uploads:
    """List what whoever asks has begun to send and not finished, latest first."""
    with hub().engine.connect() as connection:
        return wire.Uploads(uploads=[_upload(of) for of in open_uploads(connection, supplier_id=signed_in_user().id)])


@api.post("/uploads", tag="Uploads", body=wire.UploadAsked, answer=wire.Upload, statuses=(201,))
@requires("submit")
def begin_upload(body: wire.UploadAsked) -> tuple[wire.Upload, int]:
    """Begin to send photographs for one label."""
    with hub().engine.connect() as connection:
        label = label_by_code(connection, body.label)
    new = new_upload(
        label,
        consents=body.consents,
        licence=body.licence,
        where="named" if body.place else "photographs" if body.uses_positions else "none",
        place=body.place or "",
        attribution=body.attribution,
    )
    with hub().engine.begin() as connection:
        key = start_upload(connection, supplier_id=signed_in_user().id, new=new)
        return _upload(_own(connection, key)), 201


@api.get("/uploads/<upload_key>", tag="Uploads", answer=wire.Upload)
@requires("submit")
def read_upload(upload_key: str) -> wire.Upload:
    """Say how far an upload has come, file by file."""
    with hub().engine.connect() as connection:
        return _upload(_own(connection, upload_key))


@api.post("/uploads/<upload_key>/files", tag="Uploads", body=wire.UploadFileAsked, answer=wire.UploadFile, statuses=(201,))
@requires("submit")
def add_upload_file(upload_key: str, body: wire.UploadFileAsked) -> tuple[wire.UploadFile, int]:
    """Name a file before its first byte. The same file again: where it is, and how far it has come."""
    new = NewFile(body.filename, body.size_bytes, body.sha256)
    with hub().engine.begin() as connection:
        upload = _own(connection, upload_key, locks=True)
        file = add_file(connection, upload=upload, new=new, limits=limits_from_settings(hub().settings))
    return wire.UploadFile.model_validate(file), 201


@api.get("/uploads/<upload_key>/files/<int:position>", tag="Uploads", answer=wire.UploadFile)
@requires("submit")
def read_upload_file(upload_key: str, position: int) -> wire.UploadFile:
    """Say how far a file has come, and what the hub thinks of it once it is there."""
    with hub().engine.connect() as connection:
        return wire.UploadFile.model_validate(upload_file(connection, upload=_own(connection, upload_key), position=position))


@api.post(
    "/uploads/<upload_key>/files/<int:position>/parts",
    tag="Uploads",
    query=wire.PartAsked,
    takes=_PART,
    answer=wire.UploadFile,
)
@requires("submit")
def append_upload_part(upload_key: str, position: int, query: wire.PartAsked) -> wire.UploadFile:
    """Take in what comes of a file from a byte on. Where the connection breaks, what has come is kept: ask how far, and go on."""
    if request.mimetype not in _PART:
        # A form's body would be read before it gets here, and nothing of it arrive.
        raise UnsupportedMediaType(f"The body is {request.mimetype or 'of no type'!r}; expected {_PART[0]}.")
    file = services().receiver.receive(signed_in_user(), upload_key, position, offset=query.offset, read=part_reader())
    return wire.UploadFile.model_validate(file)


@api.post("/uploads/<upload_key>/files/<int:position>/leave-out", tag="Uploads", answer=wire.Done)
@requires("submit")
def leave_out_upload_file(upload_key: str, position: int) -> wire.Done:
    """Take a file out of an upload."""
    services().receiver.leave_out(signed_in_user(), upload_key, position)
    return wire.Done()


@api.post("/uploads/<upload_key>/finish", tag="Uploads", answer=wire.FinishedUpload)
@requires("submit")
def finish_upload(upload_key: str) -> wire.FinishedUpload:
    """Make an upload a batch. Again: the same batch."""
    return wire.FinishedUpload(batch_key=services().receiver.finish(signed_in_user(), upload_key))


@api.post("/uploads/<upload_key>/discard", tag="Uploads", answer=wire.Done)
@requires("submit")
def discard_upload(upload_key: str) -> wire.Done:
    """Give an upload up, and remove what has come of it."""
    services().receiver.discard(signed_in_user(), upload_key)
    return wire.Done()


def _own(connection: Connection, key: str, *, locks: bool = False) -> Upload:
    return upload_by_key(connection, key=key, supplier_id=signed_in_user().id, locks=locks)


def _upload(upload: Upload) -> wire.Upload:
    said = {name: getattr(upload, name) for name in wire.Upload.model_fields if name not in ("is_sealed", "files")}
    files = [wire.UploadFile.model_validate(file) for file in upload.files]
    return wire.Upload(**said, is_sealed=upload.sealed_at is not None, files=files)
