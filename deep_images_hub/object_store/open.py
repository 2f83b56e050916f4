"""Pick the store by its URL: `file:///folder`, `s3://bucket/prefix`, or a plain path of a folder."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deep_images_hub.errors import NotFoundError, SettingsError
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.interface import ObjectStore
from deep_images_hub.object_store.keys import check_key
from deep_images_hub.object_store.s3 import S3Store
from deep_images_hub.object_store.s3_service import S3Service
from deep_images_hub.settings import Settings

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_FORMS = "file:///folder or s3://bucket/prefix"


def open_store(settings: Settings) -> ObjectStore:
    """Open the hub's own store, whose URL is in the settings (`wiring.resolve` fills it in). Does not reach out to it yet.

    Raises:
        SettingsError: the URL is not one of a store.
    """
    if settings.store_url is None:
        raise ValueError("open_store needs resolved settings: use wiring.open_hub, or wiring.resolve before")
    store = _store_at(settings.store_url, settings)
    if isinstance(store, FolderStore):
        store.remove_leftovers()
    return store


def open_store_at(url: str, settings: Settings) -> ObjectStore:
    """Open another store to read from, such as photographs in a folder or a bucket.

    Args:
        url: `file:///folder`, `s3://bucket/prefix` or the path of a folder.
        settings: where the S3 service is and who we are to it.

    Raises:
        SettingsError: the URL is not one of a store.
        NotFoundError: there is no such folder.
    """
    store = _store_at(url, settings)
    if isinstance(store, FolderStore) and not store.folder.is_dir():
        raise NotFoundError(f"There is no folder {store.folder} (from {url!r}). Correct the path.")
    return store


def open_object_at(url: str, settings: Settings) -> tuple[ObjectStore, str]:
    """Open the store that holds one object, e.g. weights, given the object's URL; return it with the object's key there.

    Raises:
        SettingsError: the URL is not one of an object.
        NotFoundError: there is no such folder. Whether there is the object shows when it is read.
    """
    if not _SCHEME.match(url) or url.startswith("file:"):
        path = _folder_from_url(url) if url.startswith("file:") else Path(url)
        parent, key = str(path.absolute().parent), path.name
    else:
        parent, _, key = url.rpartition("/")
    if not key or parent.endswith(":/"):
        raise SettingsError(f"{_without_secret(url)!r} names no object. Expected {_FORMS} with a file's name at the end.")
    return open_store_at(parent, settings), check_key(key)


def _store_at(url: str, settings: Settings) -> ObjectStore:
    if not (scheme := _SCHEME.match(url)):
        if not url:
            raise SettingsError(f"The URL of the object store is empty. Expected {_FORMS}.")
        return FolderStore(Path(url))
    if scheme.group() == "file:":
        return FolderStore(_folder_from_url(url))
    if scheme.group() == "s3:":
        return _s3_store(url, settings)
    raise SettingsError(f"There is no object store of the kind {scheme.group()!r} ({_without_secret(url)!r}). Expected {_FORMS}.")


def _folder_from_url(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise SettingsError(
            f"{_without_secret(url)!r} is not the URL of a folder. Expected three slashes, as in file:///srv/photos; "
            "write a space as %20, '?' as %3F and '#' as %23."
        )
    return Path(unquote(parts.path))


def _s3_store(url: str, settings: Settings) -> S3Store:
    # Split by hand: in S3's URLs '?', '#' and '%' are letters of a key like any other.
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not _BUCKET.match(bucket):
        raise SettingsError(
            f"{_without_secret(url)!r} is not the URL of a bucket. Expected s3://bucket/prefix; a bucket's name has 3 to 63 "
            "small letters, digits, dots and hyphens. Keys belong in HUB_S3_ACCESS_KEY_ID and HUB_S3_SECRET_ACCESS_KEY."
        )
    prefix = prefix.rstrip("/")
    endpoint = settings.s3_endpoint_url
    if endpoint is not None and (urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname):
        raise SettingsError(
            f"HUB_S3_ENDPOINT_URL is {_without_secret(endpoint)!r}. Expected an address such as http://127.0.0.1:8333."
        )
    service = S3Service(
        endpoint_url=endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        timeout_s=settings.s3_timeout_s,
        etag_is_md5=settings.s3_etag_is_md5,
    )
    return S3Store(service, bucket, check_key(prefix) if prefix else "")


def _without_secret(url: str) -> str:
    """Return a URL for a message; what stands before an @ may be a password."""
    return re.sub(r"//[^/]*@", "//...@", url)
