"""Sending photographs: several at once, each in parts, on from wherever it was cut off."""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deep_images_hub.client.transport import Transport, wait_before
from deep_images_hub.errors import ConflictError, UnavailableError
from deep_images_hub.wire.uploads import UploadFile, UploadFileAsked

# A connection that breaks loses one part at most.
PART_BYTES = 4 << 20


def send_all(
    transport: Transport, upload_key: str, photographs: Sequence[Path], *, workers: int, advance: Callable[[int], None]
) -> list[UploadFile]:
    """Send photographs into an upload, several at once. What is there already is not sent again.

    Args:
        advance: called with the number of bytes that are there, from one thread at a time.

    Raises:
        HubError: one is not taken, or the hub cannot be reached; what has come stays, and the next call goes on.
    """
    lock = threading.Lock()

    def count(size_bytes: int) -> None:
        with lock:
            advance(size_bytes)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(_send, transport, upload_key, photograph, count) for photograph in photographs]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _send(transport: Transport, upload_key: str, photograph: Path, count: Callable[[int], None]) -> UploadFile:
    with photograph.open("rb") as body:
        sha256 = hashlib.file_digest(body, "sha256").hexdigest()
        asked = UploadFileAsked(filename=photograph.name, size_bytes=body.tell(), sha256=sha256)
        files = f"/uploads/{upload_key}/files"
        file = UploadFile.model_validate(transport.json("POST", files, json=asked.model_dump(), may_repeat=True))
        count(file.received_bytes)
        failures = 0
        while file.received_bytes < file.size_bytes:
            before = body.seek(file.received_bytes)
            try:
                answer = transport.json(
                    "POST",
                    f"{files}/{file.position}/parts",
                    params={"offset": before},
                    data=body.read(PART_BYTES),
                    headers={"Content-Type": "application/octet-stream"},
                )
            except (UnavailableError, ConflictError):
                # Whether it came, or came before, the hub knows.
                failures += 1
                if failures >= transport.tries:
                    raise
                time.sleep(wait_before(failures))
                answer = transport.json("GET", f"{files}/{file.position}")
            file = UploadFile.model_validate(answer)
            if file.received_bytes > before:
                failures = 0
            count(file.received_bytes - before)
    return file
