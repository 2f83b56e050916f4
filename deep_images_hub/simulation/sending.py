"""Send planned batches: objects first, manifests last. Doing it again, or after being cut off, leaves the same objects."""

import random
from collections.abc import Iterable
from pathlib import PurePosixPath

from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.errors import NotFoundError
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import landing_key, manifest_key
from deep_images_hub.simulation.crowd import PlannedBatch, PlannedPhoto
from deep_images_hub.simulation.defects import UNCHANGED, plant
from deep_images_hub.simulation.photo_sources import PhotoSource


def send_batches(batches: Iterable[PlannedBatch], source: PhotoSource, store: ObjectStore) -> int:
    """Store the objects of batches, and then their manifests; batches whose manifest is there are left out.

    All of them wait for the disk together, before the first manifest is written: a manifest says that its objects are there.

    Returns:
        How many batches there were to send.

    Raises:
        UnavailableError: the store or the source cannot be reached.
        InvalidInputError: a photograph of the source is too broken to have a defect planted into it.
    """
    manifests = [_send_objects(batch, source, store) for batch in batches if not _is_sent(batch, store)]
    if manifests:
        store.flush()
    for manifest in manifests:
        store.create(manifest.key, manifest.to_json(), "application/json")
    return len(manifests)


def _is_sent(batch: PlannedBatch, store: ObjectStore) -> bool:
    try:
        store.stat(manifest_key(batch.key))
    except NotFoundError:
        return False
    return True


def _send_objects(batch: PlannedBatch, source: PhotoSource, store: ObjectStore) -> Manifest:
    objects = tuple(_send_photo(batch, position, photo, source, store) for position, photo in enumerate(batch.photos))
    return Manifest(
        batch_key=batch.key,
        supplier_email=batch.supplier_email,
        supplier_name=batch.supplier_name,
        label_code=batch.label_code,
        licence=batch.licence,
        attribution=batch.attribution,
        place_query=batch.place_query,
        submitted_at=batch.submitted_at,
        objects=objects,
    )


def _send_photo(
    batch: PlannedBatch, position: int, photo: PlannedPhoto, source: PhotoSource, store: ObjectStore
) -> ManifestObject:
    suffix = PurePosixPath(photo.photo).suffix.lower() or ".jpg"
    if photo.defect is None or photo.defect in UNCHANGED:
        key = landing_key(batch.key, position, suffix)
        size_bytes = source.copy_to(store, key, photo.photo)
        body = source.read(photo.source_label, photo.photo) if size_bytes is None else b""
    else:
        honest = source.read(photo.source_label, photo.photo)
        body, suffix = plant(honest, photo.defect, random.Random(f"{batch.key}/{position}"))
        key, size_bytes = landing_key(batch.key, position, suffix), None
    if size_bytes is None:
        store.create(key, body)
        size_bytes = len(body)
    return ManifestObject(object_key=key, filename=photo.filename, size_bytes=size_bytes, taken_at=photo.taken_at)
