"""Downloading files: several at once, each from where it was broken off, and whole only when it is what the hub says it is.

A file grows beside its place under a name that has a mark of its ETag, so that bytes of another file are never joined to it, and
takes its place when it is complete. `.deep-images-hub.json` says which are there, so that running it again asks for none of them.
"""

import hashlib
import json
import threading
import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from deep_images_hub.client.transport import Transport, wait_before
from deep_images_hub.errors import HubError, InvalidInputError, UnavailableError

RECEIPT = ".deep-images-hub.json"
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class WantedFile:
    """A file that is to be had.

    Attributes:
        etag: another one means other bytes.
        size_bytes, sha256: None where the hub does not know.
    """

    name: str
    url: str
    etag: str
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class DownloadedFile:
    """A file that is there. is_verified: the hub said its sha256, and it is that; False: nobody had it to the end before."""

    path: Path
    size_bytes: int
    sha256: str
    is_verified: bool


@dataclass(frozen=True)
class _Kept:
    """What a receipt says of a file."""

    etag: str
    size_bytes: int
    sha256: str
    is_verified: bool


def etag_of_url(url: str) -> str:
    """Return the ETag that the address of an exported file names."""
    (etag,) = parse_qs(urlsplit(url).query).get("etag", [""])
    return etag


def download_all(
    transport: Transport, files: Sequence[WantedFile], folder: Path, *, workers: int, advance: Callable[[int], None]
) -> list[DownloadedFile]:
    """Download files into a folder, several at once. What is there already is not asked for.

    Args:
        advance: called with the number of bytes that came, from one thread at a time.

    Raises:
        InvalidInputError: a name would leave the folder.
        HubError: a file cannot be had; what has come of each stays, and the next call goes on.
    """
    for file in files:
        if Path(file.name).name != file.name or file.name in (".", "..") or "\\" in file.name:
            raise InvalidInputError(
                f"The hub names a file {file.name!r}, which would not lie in the folder. Nothing was downloaded."
            )
    folder.mkdir(parents=True, exist_ok=True)
    receipt = _Receipt(folder)
    lock = threading.Lock()

    def count(size_bytes: int) -> None:
        with lock:
            advance(size_bytes)

    done: dict[str, DownloadedFile] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = {pool.submit(_file, transport, file, receipt, count): file for file in files}
        try:
            for future in as_completed(futures):
                done[futures[future].name] = future.result()
        except BaseException:
            receipt.stop()
            pool.shutdown(cancel_futures=True)
            raise
    return [done[file.name] for file in files]


class _Receipt:
    """The list of files that are there. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_stopped = False
        self._path = folder / RECEIPT
        self._lock = threading.Lock()
        try:
            self._kept = {name: _Kept(**of) for name, of in json.loads(self._path.read_text(encoding="utf-8")).items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            # None yet, or somebody wrote into it: then every file is had anew.
            self._kept = {}

    def stop(self) -> None:
        """Tell the other threads that nobody waits for them any more."""
        self.is_stopped = True

    def of(self, file: WantedFile) -> DownloadedFile | None:
        """Return a file that is there; None: it is to be had."""
        kept, path = self._kept.get(file.name), self.folder / file.name
        if kept is None or kept.etag != file.etag or not path.is_file() or path.stat().st_size != kept.size_bytes:
            return None
        if file.sha256 not in (None, kept.sha256):
            return None
        return DownloadedFile(path, kept.size_bytes, kept.sha256, kept.is_verified or file.sha256 is not None)

    def keep(self, file: WantedFile, found: DownloadedFile) -> None:
        """Write down that a file is there."""
        with self._lock:
            self._kept[file.name] = _Kept(file.etag, found.size_bytes, found.sha256, found.is_verified)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps({name: asdict(of) for name, of in self._kept.items()}, indent=1), encoding="utf-8")
            fresh.replace(self._path)


def _file(transport: Transport, file: WantedFile, receipt: _Receipt, count: Callable[[int], None]) -> DownloadedFile:
    if (there := receipt.of(file)) is not None:
        count(there.size_bytes)
        return there
    mark = hashlib.sha256(file.etag.encode()).hexdigest()[:16]
    part = receipt.folder / f".{file.name}.{mark}.part"
    counted = have = part.stat().st_size if part.is_file() else 0
    count(have)
    said: str | None = None
    failures = 0
    while file.size_bytes is None or have < file.size_bytes or have == 0:
        try:
            said = _rest(transport, file, part, receipt, count) or said
            break
        except HubError as error:
            if error.code != "http_416" or not part.is_file():
                raise
            # All of it had come, or more than there is: which one, only a whole one says.
            count(-part.stat().st_size)
            part.unlink()
            have = 0
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            now = part.stat().st_size if part.is_file() else 0
            # Whatever came is a beginning: only tries that bring nothing count.
            failures = 0 if now > have else failures + 1
            have = now
            if failures >= transport.tries:
                raise UnavailableError(f"{file.name} broke off after {now:,} bytes: {error}. Run it again to go on.") from error
            time.sleep(wait_before(failures))
    size_bytes = part.stat().st_size
    sha256 = _sha256(part)
    expected = file.sha256 or said
    if (file.size_bytes is not None and size_bytes != file.size_bytes) or expected not in (None, sha256):
        part.unlink()
        count(-counted)
        raise UnavailableError(
            f"{file.name} came with {size_bytes:,} bytes and sha256 {sha256}; expected {file.size_bytes or 'any'} bytes and "
            f"{expected or 'any'}. It was thrown away: run it again."
        )
    path = receipt.folder / file.name
    part.replace(path)
    found = DownloadedFile(path, size_bytes, sha256, expected is not None)
    receipt.keep(file, found)
    return found


def _rest(transport: Transport, file: WantedFile, part: Path, receipt: _Receipt, count: Callable[[int], None]) -> str | None:
    """Append what is missing of a file, and return the sha256 that the hub says it has, or None."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": f'"{file.etag}"'}
    with transport.request("GET", file.url, headers=headers, stream=True) as response:
        is_rest = response.status_code == requests.codes.partial_content
        if have and not is_rest:
            # All of it comes: a hub that cannot go on in the middle begins anew.
            count(-have)
        with part.open("ab" if is_rest else "wb") as growing:
            for block in response.iter_content(_BLOCK_BYTES):
                if receipt.is_stopped:
                    raise UnavailableError(f"{file.name} was left where it is, since another file cannot be had.")
                growing.write(block)
                count(len(block))
        return _said_sha256(response.headers.get("Repr-Digest"))


def _said_sha256(header: str | None) -> str | None:
    """Read `sha-256=:...:` (RFC 9530)."""
    name, _, value = (header or "").partition("=")
    if name.strip() != "sha-256":
        return None
    try:
        return b64decode(value.strip(" :"), validate=True).hex()
    except Base64Error:
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
