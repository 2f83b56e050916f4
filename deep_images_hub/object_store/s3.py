"""Objects in a bucket of Amazon S3, or of anything that speaks its protocol.

Create-if-absent rests on `If-None-Match: *`, also for uploads and copies in parts. `CopyObject` with that header is of no use:
OpenStack Swift holds the condition against the source, where it always fails; so a copy is an upload of one part that the service
fetches by itself, completed under the condition. An upload that is cut off leaves parts behind that nobody sees: let a lifecycle
rule of the bucket (AbortIncompleteMultipartUpload) remove them.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from deep_images_hub.object_store.etag import BodyCheck
from deep_images_hub.object_store.interface import ObjectStat, ObjectStore, SubFolder, UnusableName
from deep_images_hub.object_store.keys import check_key, check_key_start
from deep_images_hub.object_store.relay import begun, content_type_of, copy_through, local_file
from deep_images_hub.object_store.s3_service import S3Service, code_of, is_in_conflict, is_key_taken, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef, ListObjectsV2OutputTypeDef

_MAX_PARTS = 10_000
# How often a request that lost against another one at the same moment is sent again, and a broken download resumed.
_TRIES = 6
_FIRST_PAUSE_S = 0.05
_BROKEN_BODY = (IncompleteReadError, ResponseStreamingError, HTTPClientError)


@dataclass(frozen=True)
class S3Store:
    """An ObjectStore in a bucket, which must exist.

    Attributes:
        bucket: its name.
        prefix: what the store puts before every key, without a slash at the end; may be empty.
        page_size: objects in one answer of a listing, 1 to 1000.
        part_bytes: larger files are sent in parts of this size; at least 5 MiB.
    """

    service: S3Service
    bucket: str
    prefix: str = ""
    page_size: int = field(default=1000, kw_only=True)
    part_bytes: int = field(default=16 << 20, kw_only=True)

    @property
    def url(self) -> str:
        """Where it is, as an s3 URL. The service is not part of it."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def requests_at_once(self) -> int:
        """Hides the time that a request takes, some tens of milliseconds, behind the examination of a few photographs."""
        return 8

    def create(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store an object unless the key is taken."""
        return self._create(key, lambda name: self._put(name, body, content_type, IfNoneMatch="*"))

    def replace(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Store an object, whatever was there."""
        name = self._name(key)
        with translated(self.service, self.bucket, name):
            self._put(name, body, content_type)

    def create_from_file(self, key: str, path: str, content_type: str = "application/octet-stream") -> bool:
        """Like `create`, streaming a local file of any size, in parts when it is large."""

        def send(name: str) -> None:
            with local_file(path) as file:
                size_bytes = file.seek(0, os.SEEK_END)
                file.seek(0)
                if size_bytes <= self.part_bytes:
                    self._put(name, file, content_type, IfNoneMatch="*")
                else:
                    part_bytes = max(self.part_bytes, -(-size_bytes // _MAX_PARTS))
                    self._put_parts(name, content_type, lambda _, upload: self._send_parts(name, upload, file, part_bytes))

        return not self._is_taken(key) and self._create(key, send)

    @contextmanager
    def creating(self, key: str, content_type: str = "application/octet-stream") -> Iterator[Callable[[bytes], None]]:
        """Give what adds bytes to an object, which is sent in parts as they fill and is there once the block ends."""
        name = self._name(key)
        upload, waiting, parts = "", bytearray(), list["CompletedPartTypeDef"]()

        def send_part() -> None:
            nonlocal upload
            upload = upload or self._begin_parts(name, content_type)
            parts.append(self._send_part(name, upload, len(parts) + 1, bytes(waiting)))
            waiting.clear()

        def add(block: bytes) -> None:
            waiting.extend(block)
            if len(waiting) >= self.part_bytes:
                with translated(self.service, self.bucket, name):
                    send_part()

        with ExitStack() as when_it_fails:
            when_it_fails.callback(lambda: self._abort(name, upload) if upload else None)
            yield add
            is_small = not upload

            def end(name: str) -> None:
                if is_small:
                    self._put(name, bytes(waiting), content_type, IfNoneMatch="*")
                else:
                    if waiting:
                        send_part()
                    self._end_parts(name, upload, parts)

            if not self._create(key, end):
                raise ConflictError(f"There is an object {key!r} already.")
            when_it_fails.pop_all()

    def open_file(self, key: str) -> None:
        """Return None: no object is a file of this machine."""

    def read(self, key: str) -> bytes:
        """Return a whole object."""
        return b"".join(self.read_blocks(key))

    def read_blocks(self, key: str, block_bytes: int = 1 << 20, *, start: int = 0) -> Iterator[bytes]:
        """Yield an object in blocks. A connection that breaks is taken up where it broke.

        Raises UnavailableError in the end when the bytes are not those that were stored (`etag`); of a part nobody can say.
        """
        return begun(self._blocks(self._name(key), block_bytes, start))

    def stat(self, key: str) -> ObjectStat:
        """Return an object's size."""
        name = self._name(key)
        with translated(self.service, self.bucket, name, reads=True):
            try:
                head = self._client.head_object(Bucket=self.bucket, Key=name)
                return ObjectStat(key, head["ContentLength"], head["LastModified"])
            except ClientError as error:
                if code_of(error) not in ("404", "403"):
                    raise
                # A HEAD says only that it failed; a GET says whether the object, the bucket or the right to see it is missing.
                answer = self._get(name)
                answer["Body"].close()
                return ObjectStat(key, answer["ContentLength"], answer["LastModified"])

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectStat]:
        """Yield objects in order of the key's UTF-8 bytes, a page at a time."""
        check_key_start(prefix)
        check_key_start(start_after)
        return self._objects(self._start(prefix), self._start(start_after) if start_after else "")

    def list_folder(self, folder: str = "", start_after: str = "") -> "Iterator[ObjectStat | SubFolder | UnusableName]":
        """Yield what lies right in a folder; the service leaves out what lies deeper."""
        top = f"{check_key(folder)}/" if folder else ""
        if start_after:
            check_key(start_after)
        return self._entries(self._start(top), start_after)

    def copy(self, source_key: str, key: str, *, source: ObjectStore | None = None) -> bool:
        """Copy an object inside the service, from any of its buckets; from another service, through us. At most 5 GiB."""
        origin = self if source is None else source
        if not isinstance(origin, S3Store) or origin.service != self.service:
            return copy_through(origin, source_key, self, key)
        origin_name = origin._name(source_key)

        def fetch_part(name: str, upload: str) -> "Sequence[CompletedPartTypeDef]":
            with translated(self.service, origin.bucket, origin_name, reads=True):
                answer = self._client.upload_part_copy(
                    Bucket=self.bucket,
                    Key=name,
                    UploadId=upload,
                    PartNumber=1,
                    CopySource={"Bucket": origin.bucket, "Key": origin_name},
                )
            return [{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}]

        return self._create(key, lambda name: self._put_parts(name, content_type_of(key), fetch_part))

    def signed_url(self, key: str, *, lifetime_s: int) -> str | None:
        """Return an address that gives the object to whoever has it, for so long."""
        name = self._name(key)
        with translated(self.service, self.bucket, name):
            return self._client.generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket, "Key": name}, ExpiresIn=lifetime_s
            )

    def delete(self, key: str) -> None:
        """Remove an object."""
        name = self._name(key)
        with translated(self.service, self.bucket, name):
            self._client.delete_object(Bucket=self.bucket, Key=name)

    def flush(self) -> None:
        """Return at once: S3 keeps what it has accepted."""

    @property
    def _client(self) -> "S3Client":
        return self.service.client()

    def _start(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _name(self, key: str) -> str:
        """Return an object's name in the bucket."""
        return self._start(check_key(key))

    def _is_taken(self, key: str) -> bool:
        try:
            self.stat(key)
        except NotFoundError:
            return False
        return True

    def _create(self, key: str, send: Callable[[str], None]) -> bool:
        """Send an object under the condition that its key is free, given its name in the bucket."""
        name = self._name(key)
        with translated(self.service, self.bucket, name):
            for tries in range(_TRIES):
                try:
                    send(name)
                    return True
                except ClientError as error:
                    if is_key_taken(error):
                        return False
                    if not is_in_conflict(error):
                        raise
                time.sleep(random.uniform(0.5, 1.5) * _FIRST_PAUSE_S * 2**tries)
        raise UnavailableError(
            f"{self.service.name} would not store {name!r} in the bucket {self.bucket!r}: {_TRIES} times somebody else was "
            "writing the same key at the same moment. Try again."
        )

    def _put(self, name: str, body: bytes | BinaryIO, content_type: str, **condition: Any) -> None:
        answer = self._client.put_object(Bucket=self.bucket, Key=name, Body=body, ContentType=content_type, **condition)
        self._check_is_s3(answer, "ETag")

    def _put_parts(
        self, name: str, content_type: str, send_parts: "Callable[[str, str], Sequence[CompletedPartTypeDef]]"
    ) -> None:
        """Send an object in parts, given its name and the upload's id, unless the name is taken by the time all are there."""
        upload = self._begin_parts(name, content_type)
        with ExitStack() as when_it_fails:
            when_it_fails.callback(self._abort, name, upload)
            self._end_parts(name, upload, send_parts(name, upload))
            when_it_fails.pop_all()

    def _begin_parts(self, name: str, content_type: str) -> str:
        return self._client.create_multipart_upload(Bucket=self.bucket, Key=name, ContentType=content_type)["UploadId"]

    def _end_parts(self, name: str, upload: str, parts: "Sequence[CompletedPartTypeDef]") -> None:
        self._client.complete_multipart_upload(
            Bucket=self.bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )

    def _send_parts(self, name: str, upload: str, file: BinaryIO, part_bytes: int) -> "Sequence[CompletedPartTypeDef]":
        parts: list[CompletedPartTypeDef] = []
        while body := file.read(part_bytes):
            parts.append(self._send_part(name, upload, len(parts) + 1, body))
        return parts

    def _send_part(self, name: str, upload: str, number: int, body: bytes) -> "CompletedPartTypeDef":
        answer = self._client.upload_part(Bucket=self.bucket, Key=name, UploadId=upload, PartNumber=number, Body=body)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _abort(self, name: str, upload: str) -> None:
        # What made the upload fail is what the caller must hear of.
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(Bucket=self.bucket, Key=name, UploadId=upload)

    def _blocks(self, name: str, block_bytes: int, start: int) -> Iterator[bytes]:
        """Yield an object in blocks, asking for the rest again when the connection breaks."""
        offset_bytes, tries = start, 0
        answer = self._get(name, **({"Range": f"bytes={start}-"} if start else {}))
        size_bytes, version = start + answer["ContentLength"], answer["ETag"]
        check = None if start else BodyCheck(answer)
        while True:
            with closing(answer["Body"]) as body:
                try:
                    while block := body.read(block_bytes):
                        if check is not None:
                            check.add(block)
                        yield block
                        offset_bytes, tries = offset_bytes + len(block), 0
                    return self._require_as_stored(check, name)
                except FlexibleChecksumError as error:
                    raise self._other_bytes(name, "their checksum is not the object's") from error
                except _BROKEN_BODY as error:
                    if offset_bytes == size_bytes:
                        return self._require_as_stored(check, name)
                    tries += 1
                    if tries == _TRIES:
                        with translated(self.service, self.bucket, name):
                            raise error
            time.sleep(_FIRST_PAUSE_S * 2**tries)
            # The same version only: half of one object and half of another would be nobody's.
            answer = self._get(name, Range=f"bytes={offset_bytes}-", IfMatch=version)

    def _require_as_stored(self, check: BodyCheck | None, name: str) -> None:
        if check is not None and self.service.etag_is_md5 and not check.is_as_stored():
            raise self._other_bytes(name, "their MD5 is not its ETag. If its ETags are never MD5s, set HUB_S3_ETAG_IS_MD5=false")

    def _other_bytes(self, name: str, problem: str) -> UnavailableError:
        return UnavailableError(
            f"{self.service.name} gives other bytes for {name!r} in the bucket {self.bucket!r} than were stored: {problem}. Try "
            "again, and check the service."
        )

    def _get(self, name: str, **part: Any) -> "GetObjectOutputTypeDef":
        with translated(self.service, self.bucket, name, reads=True):
            answer = self._client.get_object(Bucket=self.bucket, Key=name, **part)
        self._check_is_s3(answer, "ETag")
        return answer

    def _check_is_s3(self, answer: Mapping[str, Any], sign: str) -> None:
        """Refuse a friendly answer of something else, such as a hotel's network: boto3 would take it for an empty one."""
        if sign not in answer:
            raise UnavailableError(
                f"{self.service.name} answers, but not as an S3 service does ({sign} is missing). Check HUB_S3_ENDPOINT_URL."
            )

    def _objects(self, start: str, start_after: str) -> Iterator[ObjectStat]:
        for page in self._pages(start, start_after):
            for found in page.get("Contents", ()):
                key = found["Key"].removeprefix(self._start(""))
                # Consoles mark an empty folder by an object "folder/" without content.
                if key and not key.endswith("/"):
                    yield ObjectStat(check_key(key), found["Size"], found["LastModified"])

    def _entries(self, start: str, start_after: str) -> "Iterator[ObjectStat | SubFolder | UnusableName]":
        for page in self._pages(start, self._start(start_after) if start_after else "", Delimiter="/"):
            objects = {found["Key"]: found for found in page.get("Contents", ()) if not found["Key"].endswith("/")}
            folders = (found["Prefix"] for found in page.get("CommonPrefixes", ()))
            for name in sorted((*objects, *folders), key=str.encode):
                key = name.removeprefix(self._start(""))
                try:
                    check_key(key.removesuffix("/"))
                except InvalidInputError as error:
                    yield UnusableName(ascii(key), str(error))
                    continue
                if name not in objects:
                    yield SubFolder(key.removesuffix("/"))
                else:
                    yield ObjectStat(key, objects[name]["Size"], objects[name]["LastModified"])

    def _pages(self, start: str, start_after: str, **how: Any) -> "Iterator[ListObjectsV2OutputTypeDef]":
        position: dict[str, Any] = {"StartAfter": start_after} if start_after else {}
        while True:
            with translated(self.service, self.bucket, start):
                page = self._client.list_objects_v2(Bucket=self.bucket, Prefix=start, MaxKeys=self.page_size, **position, **how)
            self._check_is_s3(page, "IsTruncated")
            yield page
            if not page["IsTruncated"]:
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}
