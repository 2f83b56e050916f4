"""Compute the configured backbone's features of every picture that has none.

Reads: pictures of the catalogue without features of this backbone and these weights; the pictures in the store.
Writes: `embeddings`.

Running it twice changes nothing: pictures that have features are passed over. Killed anywhere, it keeps what is computed, and the
next run goes on from there. What runs in Spark's partitions is in `embedding`.
"""

from argparse import ArgumentParser, Namespace
from functools import partial
from typing import NoReturn

from pyspark.sql import SparkSession

from deep_images_hub.catalogue.embeddings import pending_count, pending_images
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub
from models.specs import backbone_spec
from spark_jobs.embedding import Network, embed
from spark_jobs.entry import run_job

# Pictures of one Spark job: their keys pass through the driver.
_PAGE_IMAGES = 50_000


def embed_pending(hub: Hub, _given: Namespace, spark: SparkSession) -> int:
    """Embed all pictures that have no features yet."""
    settings = hub.settings
    if not backbone_spec(settings.backbone).is_pretrained:
        raise InvalidInputError(
            f"{settings.backbone} is trained from scratch on pictures and has no features to keep: there is nothing to embed. "
            "Set HUB_BACKBONE to a pretrained network, or go on to training."
        )
    weights = obtain_weights(settings, settings.backbone)
    network = Network(settings.backbone, weights.sha256)
    with hub.engine.connect() as connection:
        total = pending_count(connection, model=network.model)
    embedded, after_id = 0, 0
    with Progress("Features", total=total, unit="pictures") as progress:
        while True:
            with hub.engine.connect() as connection:
                page = pending_images(connection, model=network.model, after_id=after_id, limit=_PAGE_IMAGES)
            if not page:
                break
            embedded += embed(spark, settings, network, page, on_progress=partial(_reach, progress, progress.done))
            after_id = page[-1].image_id
    print(f"embed: {embedded} pictures embedded with {network.model}.")
    return 0


def _reach(progress: Progress, before: int, done: int) -> None:
    progress.reach(before + done)


def main() -> NoReturn:
    """Read the command line and run the job."""
    run_job(embed_pending, ArgumentParser(prog="embed", description=__doc__.partition("\n")[0]))


if __name__ == "__main__":
    main()
