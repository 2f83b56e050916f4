"""Uploads that are no batch yet: their files and how far each has come. Nobody but their supplier finds them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, text, update

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import labels, upload_files, upload_parts, uploads
from deep_images_hub.errors import ConflictError, NotFoundError
from deep_images_hub.uploads.upload import (
    MAX_OPEN_UPLOADS,
    NewFile,
    NewUpload,
    Upload,
    UploadFile,
    UploadLimits,
    new_upload_key,
)

_UPLOAD_COLUMNS = (
    *(uploads.c[name] for name in ("id", "key", "supplier_id", "licence", "attribution", "place_query", "place_id")),
    *(uploads.c[name] for name in ("uses_positions", "sealed_at", "created_at", "changed_at")),
    labels.c.code.label("label_code"),
    labels.c.name.label("label_name"),
)
_FILE_COLUMNS = tuple(column for column in upload_files.c if column.name != "upload_id")


def start_upload(connection: Connection, *, supplier_id: int, new: NewUpload) -> str:
    """Begin an upload and return its key.

    Raises:
        ConflictError: the account has begun too many and finished none of them.
    """
    # Two at once would not see each other.
    connection.execute(text("select id from users where id = :id for update"), {"id": supplier_id})
    begun = connection.scalar(select(func.count()).select_from(uploads).where(uploads.c.supplier_id == supplier_id))
    if begun is not None and begun >= MAX_OPEN_UPLOADS:
        raise ConflictError(f"You have {begun} uploads that are not finished. Finish or discard some of them first.")
    name = connection.execute(select(labels.c.name).where(labels.c.id == new.label_id)).scalar_one()
    key = new_upload_key(name)
    connection.execute(insert(uploads).values(key=key, supplier_id=supplier_id, **vars(new)))
    return key


def open_uploads(connection: Connection, *, supplier_id: int) -> list[Upload]:
    """Return what an account has begun and not finished, latest first."""
    rows = connection.execute(
        select(*_UPLOAD_COLUMNS)
        .join(labels, labels.c.id == uploads.c.label_id)
        .where(uploads.c.supplier_id == supplier_id)
        .order_by(uploads.c.changed_at.desc(), uploads.c.id.desc())
    ).all()
    return [_upload(connection, row) for row in rows]


def upload_by_key(connection: Connection, *, key: str, supplier_id: int, locks: bool = False) -> Upload:
    """Return an upload of an account.

    Args:
        locks: nobody else changes it until the transaction ends.

    Raises:
        NotFoundError: there is none; also where it is another account's.
    """
    query = select(*_UPLOAD_COLUMNS).join(labels, labels.c.id == uploads.c.label_id)
    query = query.where(uploads.c.key == key, uploads.c.supplier_id == supplier_id)
    row = connection.execute(query.with_for_update(of=uploads) if locks else query).one_or_none()
    if row is None:
        raise NotFoundError("There is no such upload among yours. It may be finished: look among your batches.")
    return _upload(connection, row)


def upload_file(connection: Connection, *, upload: Upload, position: int) -> UploadFile:
    """Return a file of an upload as it is now. Raises NotFoundError."""
    row = connection.execute(
        select(*_FILE_COLUMNS).where(upload_files.c.upload_id == upload.id, upload_files.c.position == position)
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such file in this upload. It may have been left out.")
    return UploadFile(**row._mapping)


def add_file(connection: Connection, *, upload: Upload, new: NewFile, limits: UploadLimits) -> UploadFile:
    """Add a file to an upload that is locked, or return the one that is there: of the same name, size and, where known, sha256.

    Raises:
        InvalidInputError: no such file is taken.
        ConflictError: the upload is being finished; or it is full, or the account's day is.
    """
    check_open(upload)
    new.check(limits)
    for file in upload.files:
        if file.is_same_as(new):
            return file
    if len(upload.files) >= limits.max_photographs:
        raise ConflictError(
            f"This upload has {len(upload.files)} photographs, the most that one takes. Send the rest in another."
        )
    if photographs_of_day(connection, supplier_id=upload.supplier_id) >= limits.max_photographs_per_day:
        raise ConflictError(
            f"You have sent {limits.max_photographs_per_day:,} photographs within a day, the most that one account may send. "
            "Go on tomorrow: what has arrived is kept."
        )
    position: int = connection.execute(
        update(uploads)
        .where(uploads.c.id == upload.id)
        .values(next_position=uploads.c.next_position + 1, changed_at=func.now())
        .returning(uploads.c.next_position - 1)
    ).scalar_one()
    connection.execute(insert(upload_files).values(upload_id=upload.id, position=position, **vars(new)))
    return upload_file(connection, upload=upload, position=position)


def check_open(upload: Upload) -> None:
    """Raise ConflictError when an upload is being finished."""
    if upload.sealed_at is not None:
        raise ConflictError(
            "This upload is being finished, so that nothing of it can change. Finish it, then send the rest anew."
        )


def photographs_of_day(connection: Connection, *, supplier_id: int) -> int:
    """Return how many photographs an account has sent within 24 hours, those that are on their way included."""
    return int(connection.execute(load_query("photographs_of_day"), {"supplier_id": supplier_id}).scalar_one())


def add_part(connection: Connection, *, upload: Upload, file: UploadFile, size_bytes: int, object_key: str) -> bool:
    """Write down that a file has come so much farther. False: somebody else has sent that part meanwhile, or it was left out."""
    moved = connection.execute(
        update(upload_files)
        .where(
            upload_files.c.upload_id == upload.id,
            upload_files.c.position == file.position,
            upload_files.c.received_bytes == file.received_bytes,
        )
        .values(received_bytes=file.received_bytes + size_bytes)
    )
    if moved.rowcount == 0:
        return False
    values = {"upload_id": upload.id, "position": file.position, "start_byte": file.received_bytes}
    connection.execute(insert(upload_parts).values(**values, size_bytes=size_bytes, object_key=object_key))
    connection.execute(update(uploads).where(uploads.c.id == upload.id).values(changed_at=func.now()))
    return True


def part_keys(connection: Connection, *, upload: Upload, position: int | None = None) -> list[str]:
    """Return where the parts of a file lie, in order; of all files where no position is given."""
    query = select(upload_parts.c.object_key).where(upload_parts.c.upload_id == upload.id)
    if position is not None:
        query = query.where(upload_parts.c.position == position)
    return list(connection.execute(query.order_by(upload_parts.c.position, upload_parts.c.start_byte)).scalars())


def file_landed(connection: Connection, *, upload: Upload, position: int, **found: object) -> bool:
    """Write down that a whole file lies where intake will find it, and what was found out about it; its parts are nobody's now.

    False: it has landed before, or was left out meanwhile.
    """
    landed = connection.execute(
        update(upload_files)
        .where(upload_files.c.upload_id == upload.id, upload_files.c.position == position, upload_files.c.object_key.is_(None))
        .values(**found)
    )
    _forget_parts(connection, upload, position)
    return landed.rowcount > 0


def receive_again(connection: Connection, *, upload: Upload, file: UploadFile) -> None:
    """Forget all that was received of a file that has not landed. Nothing happens where it has come farther meanwhile."""
    moved = connection.execute(
        update(upload_files)
        .where(
            upload_files.c.upload_id == upload.id,
            upload_files.c.position == file.position,
            upload_files.c.received_bytes == file.received_bytes,
            upload_files.c.object_key.is_(None),
        )
        .values(received_bytes=0)
    )
    if moved.rowcount:
        _forget_parts(connection, upload, file.position)


def _forget_parts(connection: Connection, upload: Upload, position: int) -> None:
    connection.execute(delete(upload_parts).where(upload_parts.c.upload_id == upload.id, upload_parts.c.position == position))


def leave_out(connection: Connection, *, upload: Upload, position: int) -> None:
    """Take a file out of an upload that is locked. Nothing happens where it is not there. Raises ConflictError."""
    check_open(upload)
    connection.execute(delete(upload_files).where(upload_files.c.upload_id == upload.id, upload_files.c.position == position))


def is_known(connection: Connection, *, upload: Upload, file: UploadFile, sha256: str) -> bool:
    """Tell whether the hub has a photograph already, or another file of the upload is the same."""
    found = connection.execute(
        load_query("upload_is_known"), {"upload_id": upload.id, "position": file.position, "sha256": sha256}
    )
    return bool(found.scalar_one())


def seal(connection: Connection, *, upload: Upload, place_id: int | None) -> datetime:
    """Let nothing be added to an upload any more, or left out, and return since when. Again: it is as it was."""
    sealed_at: datetime = connection.execute(
        update(uploads)
        .where(uploads.c.id == upload.id)
        .values(
            sealed_at=func.coalesce(uploads.c.sealed_at, func.now()),
            place_id=func.coalesce(uploads.c.place_id, place_id),
        )
        .returning(uploads.c.sealed_at)
    ).scalar_one()
    return sealed_at


def forget_upload(connection: Connection, *, upload: Upload) -> None:
    """Forget an upload, which has become a batch or was given up. Its objects are the batch's then, or nobody's."""
    connection.execute(delete(uploads).where(uploads.c.id == upload.id))


def abandoned_uploads(connection: Connection, *, before: datetime) -> Sequence[str]:
    """Return the keys of uploads in which nothing has changed since a time, oldest first.

    One that is sealed is not among them: its supplier has finished it, and finishing it again makes the batch.
    """
    rows = connection.execute(select(uploads.c.key).where(_is_abandoned(before)).order_by(uploads.c.changed_at))
    return rows.scalars().all()


def forget_abandoned(connection: Connection, *, key: str, before: datetime) -> bool:
    """Forget an upload unless somebody has gone on with it. Its objects are nobody's then."""
    gone = connection.execute(delete(uploads).where(uploads.c.key == key, _is_abandoned(before)))
    return gone.rowcount > 0


def _is_abandoned(before: datetime) -> ColumnElement[bool]:
    return and_(uploads.c.sealed_at.is_(None), uploads.c.changed_at < before)


def _upload(connection: Connection, row: Row[Any]) -> Upload:
    files = connection.execute(select(*_FILE_COLUMNS).where(upload_files.c.upload_id == row.id).order_by(upload_files.c.position))
    return Upload(**row._mapping, files=tuple(UploadFile(**file._mapping) for file in files))
