"""Download a dataset from a served portal as fast as it comes, beside reading its pictures' files one after the other."""

import contextlib
import http.client
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from zlib import crc32

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.datasets import DatasetVersion, version_items
from deep_images_hub.datasets.keeping import remove_forgotten
from deep_images_hub.errors import UnavailableError
from deep_images_hub.measuring.processes import cpu_s_of_tree, resident_mib_of_tree
from deep_images_hub.measuring.served_portal import ANSWER_TIMEOUT_S, Headers, ServedPortal
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub

FORMATS = ("imagefolder", "webdataset")
_BLOCK_BYTES = 1 << 20
# The system counts in hundredths.
_LEAST_CPU_S = 0.01
# Memory is looked at after each so many bytes.
_LOOK_BYTES = 16 << 20
_KEEP_CHECKSUMS = """
    update images
    set picture_sha256 = found.picture_sha256, picture_crc32 = found.crc32
    from unnest(cast(:sha256s as text[]), cast(:picture_sha256s as text[]), cast(:crc32s as bigint[]))
        as found (sha256, picture_sha256, crc32)
    where images.sha256 = found.sha256
        and images.picture_sha256 is distinct from found.picture_sha256
"""


@dataclass(frozen=True)
class Download:
    """What a download took.

    Attributes:
        size_bytes: of all files.
        first_byte_s: the longest that a file's first byte took.
        rate_to_file_read: bytes a second, to those of reading the pictures' files.
        cpu_to_file_read: bytes a processor second of the portal's processes, to those of reading.
        rss_growth_mib: the most memory that the portal's processes had together, beyond what they had after the first bytes.
    """

    size_bytes: int
    first_byte_s: float
    rate_to_file_read: float
    cpu_to_file_read: float
    rss_growth_mib: float


def store_pictures(connection: Connection, store: FolderStore, version: DatasetVersion) -> list[str]:
    """Put noise into a store in place of a dataset's pictures, of the lengths that the catalogue says, and return their files.

    The catalogue learns their checksums, as from intake.
    """
    noise, files, checksums = random.Random(0).randbytes(_BLOCK_BYTES), [], []
    with Progress("Storing pictures", version.image_count, "pictures") as progress:
        for picture in version_items(connection, version.id):
            begin = int(picture.sha256[:8], 16) % (len(noise) - picture.picture_size_bytes)
            body = noise[begin : begin + picture.picture_size_bytes]
            store.replace(picture.picture_key, body)
            files.append(f"{store.folder}/{picture.picture_key}")
            checksums.append((picture.sha256, sha256(body).hexdigest(), crc32(body)))
            progress.advance(1)
    columns = zip(("sha256s", "picture_sha256s", "crc32s"), zip(*checksums, strict=True), strict=True)
    connection.execute(text(_KEEP_CHECKSUMS), {name: list(values) for name, values in columns})
    return files


def forget_exported_files(hub: Hub) -> None:
    """Let the next download of a file be its first: what an earlier one found out and left is there for all that follow."""
    with hub.engine.begin() as connection:
        connection.execute(text("delete from export_files"))
        connection.execute(text("update kept_files set is_forgotten = true"))
    remove_forgotten(hub.engine, hub.store)


def measure_download(
    portal: ServedPortal, files: Sequence[str], *, version_id: int, format_name: str, person: Headers, times: int = 1
) -> Download:
    """Download a dataset in a format, all of its files one after the other.

    Args:
        times: so often, where once is over before it counts.
    """
    # Once for nothing, so that files lie in memory for both.
    _read(files)
    reading_s, reading_cpu_s, read_bytes = _read(files)
    address = f"/datasets/{version_id}/exports/{format_name}"
    names = [file["name"] for file in json.loads(portal.get(f"{address}/manifest.json", person)[2])["files"] if file["images"]]
    began_s, cpu_s, size_bytes, first_byte_s = time.monotonic(), cpu_s_of_tree(portal.process_id), 0, 0.0
    begun_mib = most_mib = 0.0
    for name in names * times:
        asked_s, next_look = time.monotonic(), size_bytes
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", portal.port, timeout=ANSWER_TIMEOUT_S)) as connection:
            connection.request("GET", f"{address}/{name}", headers=dict(person))
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise UnavailableError(f"The portal answered {answer.status} to a request for {name!r}. See its log.")
            size_bytes += len(answer.read(1))
            first_byte_s = max(first_byte_s, time.monotonic() - asked_s)
            while block := answer.read(_BLOCK_BYTES):
                size_bytes += len(block)
                if size_bytes >= next_look:
                    next_look += _LOOK_BYTES
                    mib = resident_mib_of_tree(portal.process_id)
                    begun_mib, most_mib = begun_mib or mib, max(most_mib, mib)
    took_s, cpu_s = time.monotonic() - began_s, max(_LEAST_CPU_S, cpu_s_of_tree(portal.process_id) - cpu_s)
    again_s, again_cpu_s, _ = _read(files)
    return Download(
        size_bytes=size_bytes // times,
        first_byte_s=round(first_byte_s, 3),
        rate_to_file_read=round(size_bytes / took_s / (2 * read_bytes / (reading_s + again_s)), 3),
        cpu_to_file_read=round(size_bytes / cpu_s / (2 * read_bytes / (reading_cpu_s + again_cpu_s)), 3),
        rss_growth_mib=round(most_mib - begun_mib, 1),
    )


def _read(files: Sequence[str]) -> tuple[float, float, int]:
    """Read files whole, one after the other; return seconds by the clock, processor seconds, and bytes."""
    began_s, cpu_s, size_bytes = time.monotonic(), time.process_time(), 0
    for path in files:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path takes as long as reading the picture
            size_bytes += len(file.read())
    return time.monotonic() - began_s, time.process_time() - cpu_s, size_bytes
