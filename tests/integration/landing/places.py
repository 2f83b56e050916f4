"""Places that others fill, for tests: suppliers' manifests and trees of label folders, and the jobs that take from them."""

from __future__ import annotations

import hashlib
import json
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from deep_images_hub.catalogue.users import create_user
from deep_images_hub.errors import UnavailableError
from deep_images_hub.landing.sending import send
from deep_images_hub.object_store.open import open_store
from spark_jobs.adopt import adopt
from spark_jobs.land import land
from spark_jobs.landing import register_batch
from tests.builders import HubBuilder, photograph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import SparkSession

    from deep_images_hub.landing.delivery import Delivery
    from deep_images_hub.object_store import ObjectStore
    from deep_images_hub.settings import Settings
    from deep_images_hub.wiring import Hub
    from spark_jobs.landing import Outcome

LABELS = {"apple": "Apple", "/m/pear": "Pear"}
ADA = "ada@example.org"


def prepare(hub: Hub) -> None:
    """Make the labels and the supplier."""
    HubBuilder(hub).labels(LABELS)
    with hub.engine.begin() as connection:
        create_user(connection, email=ADA, display_name="Ada Berg", role="supplier")


def put_delivery(source: ObjectStore, name: str, pictures: int = 2, **changes: Any) -> dict[str, Any]:
    """Put photographs into a folder and a manifest beside it, and return what the manifest says."""
    bodies = {f"{n} é.jpg": photograph(f"{name}/{n}") for n in range(pictures)}
    for filename, body in bodies.items():
        source.replace(f"{name}/{filename}", body)
    files = [
        {"name": filename, "size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for filename, body in bodies.items()
    ]
    said = {"supplier": ADA, "label": "apple", "licence": "by", "files": files} | changes
    put_manifest(source, name, said)
    return said


def put_manifest(source: ObjectStore, name: str, said: object) -> None:
    source.replace(f"{name}.manifest.json", said if isinstance(said, bytes) else json.dumps(said).encode())


def run_land(hub: Hub, spark: SparkSession, source: ObjectStore, **given: Any) -> int:
    return land(hub, Namespace(**({"source": source.url, "supplier": None, "again": False} | given)), spark)


def run_adopt(hub: Hub, spark: SparkSession, source: ObjectStore, **given: Any) -> int:
    arguments = {
        "source": source.url,
        "supplier": ADA,
        "licence": "cc0",
        "attribution": None,
        "place": None,
        "again": False,
    }
    return adopt(hub, Namespace(**(arguments | given)), spark)


def send_here(
    _spark: object, settings: Settings, source: ObjectStore, deliveries: Sequence[Delivery], **_: object
) -> list[Outcome]:
    """Send deliveries without Spark, to be put in the place of the jobs' own where Spark is not what a test is about."""
    return [send(delivery, source, open_store(settings)) for delivery in deliveries]


def dying_after(batches: int) -> Callable[..., int]:
    """Return what registers so many batches and then dies, to be put in the place of the job's own."""
    registered: list[int] = []

    def register(*given: Any) -> int:
        if len(registered) == batches:
            raise UnavailableError("killed")
        registered.append(register_batch(*given))
        return registered[-1]

    return register


def rows(hub: Hub, query: str) -> list[tuple[Any, ...]]:
    with hub.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
