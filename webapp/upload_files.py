"""One file of an upload after the other, in as many requests as it takes: tus 1.0.0, its core, creation and termination.

Any client of that protocol can send, given a session and a form's token in `X-CSRFToken`. Source: https://tus.io/protocols.
"""

import base64
import binascii
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected

from deep_images_hub.batches.report import reason_words
from deep_images_hub.catalogue.uploads import add_file, upload_by_key, upload_file
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.uploads.upload import NewFile, UploadFile, limits_from_settings
from webapp.access import requires, signed_in_user
from webapp.services import hub, services

blueprint = Blueprint("upload_files", __name__, url_prefix="/send/<upload_key>/files")

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,termination"
PART_TYPE = "application/offset+octet-stream"
_BLOCK_BYTES = 1 << 16
_MAX_METADATA_LENGTH = 4_000


@blueprint.before_request
def _check_version() -> None:
    if request.headers.get("Tus-Resumable", TUS_VERSION) != TUS_VERSION:
        abort(HTTPStatus.PRECONDITION_FAILED, f"This hub speaks tus {TUS_VERSION}.")


@blueprint.after_request
def _say_version(response: Response) -> Response:
    response.headers["Tus-Resumable"] = response.headers["Tus-Version"] = TUS_VERSION
    response.headers["Tus-Extension"] = TUS_EXTENSIONS
    response.headers["Tus-Max-Size"] = str(limits_from_settings(hub().settings).max_file_bytes)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.post("")
@requires("submit")
def add(upload_key: str) -> ResponseReturnValue:
    """Take a file's name and length before its first byte. The same file again: where it is and how far it has come."""
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    new = NewFile(said.get("filename", ""), _number("Upload-Length"), said.get("sha256") or None)
    with hub().engine.begin() as connection:
        upload = upload_by_key(connection, key=upload_key, supplier_id=signed_in_user().id, locks=True)
        file = add_file(connection, upload=upload, new=new, limits=limits_from_settings(hub().settings))
    answer = _described(file)
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = url_for("upload_files.state", upload_key=upload_key, position=file.position)
    return answer


@blueprint.get("/<int:position>")
@requires("submit")
def state(upload_key: str, position: int) -> ResponseReturnValue:
    """Say how far a file has come, and what the hub thinks of it once it is here."""
    with hub().engine.connect() as connection:
        upload = upload_by_key(connection, key=upload_key, supplier_id=signed_in_user().id)
        return _described(upload_file(connection, upload=upload, position=position))


@blueprint.get("/<int:position>/thumbnail.jpg")
@requires("submit")
def thumbnail(upload_key: str, position: int) -> ResponseReturnValue:
    """Show a photograph that has arrived, to who sent it."""
    answer = Response(services().receiver.thumbnail(signed_in_user(), upload_key, position), mimetype="image/jpeg")
    # A position is never given twice.
    answer.headers["Cache-Control"] = "private, max-age=3600, immutable"
    return answer


@blueprint.patch("/<int:position>")
@requires("submit")
def append(upload_key: str, position: int) -> ResponseReturnValue:
    """Take in what comes of a file from a byte on. Where the connection breaks, what has come is kept."""
    if request.mimetype != PART_TYPE:
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Expected a part of a file, as {PART_TYPE}.")
    offset = _number("Upload-Offset")
    file = services().receiver.receive(signed_in_user(), upload_key, position, offset=offset, read=part_reader())
    answer = Response(status=HTTPStatus.NO_CONTENT)
    answer.headers["Upload-Offset"] = str(file.received_bytes)
    return answer


@blueprint.delete("/<int:position>")
@requires("submit")
def leave_out(upload_key: str, position: int) -> ResponseReturnValue:
    """Take a file out of an upload."""
    services().receiver.leave_out(signed_in_user(), upload_key, position)
    return Response(status=HTTPStatus.NO_CONTENT)


def _described(file: UploadFile) -> Response:
    answer = jsonify(
        position=file.position,
        filename=file.filename,
        size_bytes=file.size_bytes,
        received_bytes=file.received_bytes,
        state=file.state,
        reason=file.expected_reason,
        words=file.expected_reason and reason_words(file.expected_reason),
    )
    answer.headers["Upload-Offset"] = str(file.received_bytes)
    answer.headers["Upload-Length"] = str(file.size_bytes)
    return answer


def part_reader() -> Callable[[int], bytes]:
    """Return what reads the request's body: as many bytes as are asked for, or fewer at its end or where the sender is gone."""
    is_cut = False

    def read(size_bytes: int) -> bytes:
        nonlocal is_cut
        body = bytearray()
        while len(body) < size_bytes and not is_cut:
            try:
                block = request.stream.read(min(_BLOCK_BYTES, size_bytes - len(body)))
            except (ClientDisconnected, OSError):
                is_cut = True
                break
            if not block:
                break
            body += block
        return bytes(body)

    return read


def _number(header: str) -> int:
    value = request.headers.get(header, "")
    if not (value.isascii() and value.isdecimal()) or len(value) > 15:
        raise InvalidInputError(f"The header {header} holds {value[:40]!r}. Expected a number of bytes.")
    return int(value)


def _metadata(header: str) -> dict[str, str]:
    """Read `Upload-Metadata`: keys with values in Base64, parted by commas."""
    if len(header) > _MAX_METADATA_LENGTH:
        raise InvalidInputError(
            f"The header Upload-Metadata has {len(header)} characters. Expected at most {_MAX_METADATA_LENGTH}."
        )
    said = {}
    for pair in header.split(","):
        key, _, encoded = pair.strip().partition(" ")
        try:
            said[key] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInputError(
                "The header Upload-Metadata is not as tus has it: keys, and values in Base64 of UTF-8."
            ) from error
    return said
