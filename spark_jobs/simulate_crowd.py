"""Let a simulated crowd send photographs: many suppliers, one label a batch, some with a place, some with planted defects.

Reads: a folder tree of labels, a bucket's prefix laid out likewise, or nothing: then the photographs are drawn.
Writes: objects and manifests under `landing/`, then batches and submissions in the catalogue, in the order of the plan;
labels of a tree that the catalogue does not have; what is known of the planted defects under `simulation/`, where intake
never looks.

Running it twice changes nothing: the plan, and with it every key, follows from the source, the seed and the other arguments.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from pyspark.sql import SparkSession

from deep_images_hub.batches.manifest import Manifest, manifest_from_json
from deep_images_hub.catalogue.batches import create_batch
from deep_images_hub.catalogue.labels import labels_by_codes, load_graph
from deep_images_hub.catalogue.places import place_for
from deep_images_hub.cli.arguments import whole_number
from deep_images_hub.errors import NotFoundError, UnavailableError
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import manifest_key
from deep_images_hub.object_store.open import open_store_at
from deep_images_hub.places import open_geocoder
from deep_images_hub.progress import Progress
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.crowd import PlannedBatch, plan_crowd, truth_csv, truth_key
from deep_images_hub.simulation.defects import rates_from_text
from deep_images_hub.simulation.photo_sources import FolderPhotos, PhotoList, PhotoSource, RenderedPhotos, StoredPhotos
from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job
from spark_jobs.following import follow
from spark_jobs.sending import PROBLEMS_SCHEMA, planned_frame, send_planned

DEFAULT_IMAGES = 840
# Batches that come into the catalogue in one transaction, and manifests that are read while it runs.
_REGISTER_BATCHES = 64


def simulate_crowd(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Send a crowd's batches and register them. Returns 0."""
    source, listed = _open_source(given.photos, given.images, given.seed, hub.settings)
    _ensure_labels(hub, listed)
    defects = rates_from_text(given.defects or ("none" if given.photos else "default"))
    planned = plan_crowd(listed, seed=given.seed, rates=defects, images=given.images)
    _send(hub.settings, source, planned.batches, spark)
    hub.store.create(truth_key(planned.name), truth_csv(planned.batches), "text/csv")
    _register(hub, planned.batches)
    photographs = sum(len(batch.photos) for batch in planned.batches)
    print(f"simulate_crowd: {planned.name} has sent {photographs} photographs in {len(planned.batches)} batches.")
    if given.report:
        report = {"crowd": planned.name, "photographs": photographs, "batches": len(planned.batches)}
        Path(given.report).write_text(json.dumps(report) + "\n", encoding="utf-8")
    return 0


def _open_source(photos: str | None, images: int | None, seed: int, settings: Settings) -> tuple[PhotoSource, PhotoList]:
    if photos is None:
        rendered = RenderedPhotos(seed)
        return rendered, rendered.list(images or DEFAULT_IMAGES)
    if photos.startswith("s3://"):
        stored = StoredPhotos(open_store_at(photos, settings))
        return stored, stored.list()
    folder = FolderPhotos(Path(photos).absolute())
    return folder, folder.list()


def _ensure_labels(hub: Hub, listed: PhotoList) -> None:
    """Add the labels of a tree; make sure that the catalogue has the others."""
    with hub.engine.begin() as connection:
        if listed.labels is not None:
            load_graph(connection, listed.labels, source="simulate_crowd")
        elif unknown := sorted(listed.photos.keys() - labels_by_codes(connection, list(listed.photos)).keys()):
            raise NotFoundError(
                f"The catalogue has no label {unknown[0]!r}. The crowd draws the products of config/labels/demo.csv: load that."
            )


def _send(settings: Settings, source: PhotoSource, batches: Sequence[PlannedBatch], spark: SparkSession) -> None:
    """Store all objects and manifests on Spark.

    Raises:
        UnavailableError: a task could not go on; the message says why.
    """
    sent = spark.sparkContext.accumulator(0)
    total = sum(len(batch.photos) for batch in batches)

    def work() -> list[str]:
        rows = planned_frame(spark, batches).mapInArrow(send_planned(settings, source, sent), PROBLEMS_SCHEMA).collect()
        return [row.problem for row in rows]

    with Progress("Crowd", total=total, unit="photographs") as progress:
        problems = follow(spark, work, on_poll=lambda: progress.reach(min(sent.value, total)))
        progress.reach(total)
    if problems:
        raise UnavailableError(problems[0])


def _register(hub: Hub, batches: Sequence[PlannedBatch]) -> None:
    """Bring the batches into the catalogue, in order, so that their ids follow the plan."""
    geocoder = open_geocoder(hub.settings)
    with ThreadPoolExecutor(8, thread_name_prefix="manifests") as pool:
        for start in range(0, len(batches), _REGISTER_BATCHES):
            manifests = list(pool.map(lambda batch: _manifest_of(hub.store, batch), batches[start : start + _REGISTER_BATCHES]))
            with hub.engine.begin() as connection:
                for manifest in manifests:
                    query = manifest.place_query
                    place_id = place_for(connection, geocoder, query) if query else None
                    create_batch(connection, manifest=manifest, place_id=place_id)


def _manifest_of(store: ObjectStore, batch: PlannedBatch) -> Manifest:
    return manifest_from_json(store.read(manifest_key(batch.key)))


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="simulate_crowd", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--photos", metavar="PLACE", help="folder, or s3://bucket/prefix, whose folders name what their photographs show"
    )
    parser.add_argument(
        "--images", type=whole_number(1), metavar="N", help=f"photographs in all (drawn: {DEFAULT_IMAGES}; else all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another crowd (0)")
    parser.add_argument(
        "--defects", metavar="RATES", help="none, default, or e.g. truncated=0.02,dark=0.01 (drawn: default; else none)"
    )
    parser.add_argument("--report", metavar="FILE", help="write the crowd's name and counts there, as JSON")
    run_job(simulate_crowd, parser)


if __name__ == "__main__":
    main()
