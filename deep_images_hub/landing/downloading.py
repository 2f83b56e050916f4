"""Fetch photographs of a list into the landing area, many at once, and write their batches' manifests. No catalogue, no Spark.

A batch holds the photographs of one author under one licence for one label, so that its credit is the credit of each. Photographs
come first, manifests last: doing it again, or after being cut off, leaves the same.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from deep_images_hub.batches.manifest import Manifest, ManifestObject, manifest_from_json
from deep_images_hub.errors import NotFoundError
from deep_images_hub.landing.delivery import batch_key_of
from deep_images_hub.landing.download import Download, NotFetched
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import landing_key, manifest_key

Fetch = Callable[[Download], bytes | NotFetched]


@dataclass(frozen=True)
class DownloadBatch:
    """Photographs that are to become one batch: of one label, licence and attribution.

    Attributes:
        origin: the list that they are from.
        submitted_at: in UTC.
    """

    origin: str
    supplier_email: str
    supplier_name: str
    submitted_at: datetime
    downloads: tuple[Download, ...]

    @property
    def key(self) -> str:
        """The batch's key: of other photographs, another."""
        first = self.downloads[0]
        said = (self.supplier_email, first.label_code, first.licence, first.attribution, [one.name for one in self.downloads])
        return batch_key_of(self.origin, "", *said)


@dataclass(frozen=True)
class Downloaded:
    """What became of the photographs of a batch.

    Attributes:
        batch: as it was asked for.
        fetched: names of those that lie in the landing area, under the batch's manifest; none: there is no batch.
        not_fetched: why not, by name. What is in neither is still to be asked for.
    """

    batch: DownloadBatch
    fetched: tuple[str, ...]
    not_fetched: dict[str, NotFetched]


def download_batches(batches: Sequence[DownloadBatch], store: ObjectStore, fetch: Fetch, *, connections: int) -> list[Downloaded]:
    """Fetch batches, whose photographs all together use so many connections, and write manifests of those that have some.

    Batches whose manifest is there are not fetched again.

    Raises:
        UnavailableError: the store cannot be reached.
    """
    kept = [_kept(batch, store) for batch in batches]

    def fetch_one(wanted: tuple[int, int]) -> ManifestObject | NotFetched:
        number, position = wanted
        return _fetch_into(store, batches[number], position, fetch)

    wanted = [
        (number, position)
        for number, batch in enumerate(batches)
        if kept[number] is None
        for position in range(len(batch.downloads))
    ]
    with ThreadPoolExecutor(connections, thread_name_prefix="fetching") as pool:
        found: list[list[ManifestObject | NotFetched]] = [[] for _ in batches]
        for (number, _), outcome in zip(wanted, pool.map(fetch_one, wanted), strict=True):
            found[number].append(outcome)
    store.flush()
    return [kept[number] or _written(batch, store, found[number]) for number, batch in enumerate(batches)]


def _kept(batch: DownloadBatch, store: ObjectStore) -> Downloaded | None:
    """Return what a run that was cut off after it had written the manifest fetched; the rest is asked for another time."""
    try:
        manifest = manifest_from_json(store.read(manifest_key(batch.key)))
    except NotFoundError:
        return None
    return Downloaded(batch, _names(batch, manifest.objects), {})


def _fetch_into(store: ObjectStore, batch: DownloadBatch, position: int, fetch: Fetch) -> ManifestObject | NotFetched:
    download = batch.downloads[position]
    body = fetch(download)
    if isinstance(body, NotFetched):
        return body
    key = landing_key(batch.key, position, ".jpg")
    # What lies there is of a run that was cut off, and may be of another day.
    size_bytes = len(body) if store.create(key, body, "image/jpeg") else store.stat(key).size_bytes
    return ManifestObject(object_key=key, filename=f"{download.name}.jpg", size_bytes=size_bytes)


def _written(batch: DownloadBatch, store: ObjectStore, outcomes: Sequence[ManifestObject | NotFetched]) -> Downloaded:
    objects = tuple(one for one in outcomes if isinstance(one, ManifestObject))
    if objects:
        first = batch.downloads[0]
        manifest = Manifest(
            batch_key=batch.key,
            supplier_email=batch.supplier_email,
            supplier_name=batch.supplier_name,
            label_code=first.label_code,
            licence=first.licence,
            attribution=first.attribution,
            submitted_at=batch.submitted_at,
            origin=batch.origin,
            objects=objects,
        )
        store.create(manifest.key, manifest.to_json(), "application/json")
    not_fetched = {
        download.name: one for download, one in zip(batch.downloads, outcomes, strict=True) if isinstance(one, NotFetched)
    }
    return Downloaded(batch, _names(batch, objects), not_fetched)


def _names(batch: DownloadBatch, objects: Iterable[ManifestObject]) -> tuple[str, ...]:
    filenames = {sent.filename for sent in objects}
    return tuple(download.name for download in batch.downloads if f"{download.name}.jpg" in filenames)
