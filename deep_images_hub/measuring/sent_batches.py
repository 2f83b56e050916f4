"""Batches that benches send: files of this machine, in the landing area of a hub of the bench's own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.catalogue.batches import create_batch
from deep_images_hub.catalogue.labels import add_label
from deep_images_hub.object_store.keys import landing_key
from deep_images_hub.wiring import Hub

BATCH_IMAGES = 25
_LABEL = "bench"


def add_bench_label(hub: Hub) -> None:
    """Add the label that all photographs are said to show."""
    with hub.engine.begin() as connection:
        add_label(connection, code=_LABEL, name="Bench", parent_code=None)


def send(hub: Hub, files: Sequence[Path], *, name: str, batch_images: int = BATCH_IMAGES) -> list[int]:
    """Put files into the landing area, as batches of one supplier, and return the batches' ids.

    Args:
        name: what their keys begin with.
        batch_images: photographs of one batch.
    """
    return [
        _send_batch(hub, f"{name}-{start:06d}", files[start : start + batch_images])
        for start in range(0, len(files), batch_images)
    ]


def _send_batch(hub: Hub, key: str, files: Sequence[Path]) -> int:
    objects = []
    for position, file in enumerate(files):
        object_key = landing_key(key, position, file.suffix)
        body = file.read_bytes()
        hub.store.create(object_key, body)
        objects.append(ManifestObject(object_key=object_key, filename=file.name, size_bytes=len(body)))
    manifest = Manifest(
        batch_key=key,
        supplier_email="bench@example.org",
        supplier_name="Bench",
        label_code=_LABEL,
        licence="cc0",
        submitted_at=datetime.now(UTC),
        objects=tuple(objects),
    )
    with hub.engine.begin() as connection:
        return create_batch(connection, manifest=manifest)
