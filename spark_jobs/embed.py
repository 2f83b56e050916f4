"""Look at every accepted picture once with the configured network: keep its features, and say whether it agrees with its label.

Reads: accepted pictures without features of this network, the pictures in the store, config/labels.
Writes: `embeddings`; verdicts of `label_agreement`; submissions whose label the network doubts go into review.

Running it twice changes nothing: pictures that have features and a verdict are passed over. Killed anywhere, it keeps what is
done, and the next run goes on from there: verdicts are written before any decision is changed, so all pictures meet the same
known ones. The network never rejects, and where a person has decided it says nothing any more. What runs in Spark's partitions is
in `embedding` and `judging`.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import ExitStack
from functools import partial
from typing import NoReturn

from pyspark.sql import SparkSession

from deep_images_hub.catalogue.agreement import asking_again, decide_by_agreement, pictures_to_judge
from deep_images_hub.catalogue.embeddings import has_classes, pending_count, pending_images
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub
from models.specs import backbone_spec
from spark_jobs.embedding import Network, embed
from spark_jobs.entry import run_job
from spark_jobs.judging import judge, label_judge

# Pictures of one Spark job: their keys pass through the driver.
_PAGE_IMAGES = 50_000


def embed_pending(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Embed all accepted pictures that have no features yet, and judge those that have no verdict; returns 0."""
    settings = hub.settings
    if not backbone_spec(settings.backbone).is_pretrained:
        raise InvalidInputError(
            f"{settings.backbone} is trained from scratch on pictures and has no features to keep: there is nothing to embed. "
            "Set HUB_BACKBONE to a pretrained network, or go on to training."
        )
    weights = obtain_weights(settings, settings.backbone)
    network = Network(settings.backbone, weights.sha256)
    print(f"embed: {_embed_all(hub, network, spark)} pictures embedded with {network.model}.")
    with ExitStack() as again:
        redecision_id = None
        if given.again:
            asking = asking_again(hub.engine, threshold=settings.label_agreement_threshold)
            redecision_id = again.enter_context(asking)
        judged = _judge_all(hub, network.model, spark, redecision_id)
        moved = _decide_all(hub, network.model, redecision_id)
    with hub.engine.connect() as connection:
        if judged and not has_classes(connection, model=network.model):
            print(
                f"embed: the weights at {weights.path} have no classification head, so the network names no classes of ImageNet: "
                "labels are compared with known pictures alone."
            )
    print(
        f"embed: {judged} labels judged; {moved['into review']} pictures went into review as label_agreement, "
        f"{moved['accepted again']} came back from it."
    )
    return 0


def _embed_all(hub: Hub, network: Network, spark: SparkSession) -> int:
    with hub.engine.connect() as connection:
        total = pending_count(connection, model=network.model)
    embedded, after_id = 0, 0
    with Progress("Features", total=total, unit="pictures") as progress:
        while True:
            with hub.engine.connect() as connection:
                page = pending_images(connection, model=network.model, after_id=after_id, limit=_PAGE_IMAGES)
            if not page:
                return embedded
            embedded += embed(spark, hub.settings, network, page, on_progress=partial(_reach, progress, progress.done))
            after_id = page[-1].image_id


def _judge_all(hub: Hub, model: str, spark: SparkSession, redecision_id: int | None) -> int:
    """Write a verdict on every picture whose turn it is. No decision changes, so all of them meet the same known pictures."""
    judged, after_id, broadcast = 0, 0, None
    with Progress("Labels", total=None, unit="pictures") as progress:
        while True:
            with hub.engine.connect() as connection:
                page = pictures_to_judge(
                    connection, model=model, redecision_id=redecision_id, after_submission_id=after_id, limit=_PAGE_IMAGES
                )
                if page and broadcast is None:
                    broadcast = spark.sparkContext.broadcast(label_judge(connection, hub.settings, model))
            if not page or broadcast is None:
                break
            on_progress = partial(_reach, progress, progress.done)
            judged += judge(spark, hub.settings, broadcast, model, page, redecision_id=redecision_id, on_progress=on_progress)
            after_id = page[-1].submission_id
    if broadcast is not None:
        broadcast.destroy()
    return judged


def _decide_all(hub: Hub, model: str, redecision_id: int | None) -> Counter[str]:
    moved: Counter[str] = Counter()
    while True:
        with hub.engine.begin() as connection:
            decided = decide_by_agreement(connection, model=model, redecision_id=redecision_id)
        if decided is None:
            return moved
        moved += Counter({"into review": decided.into_review, "accepted again": decided.accepted_again})


def _reach(progress: Progress, before: int, done: int) -> None:
    progress.reach(before + done)


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="embed", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--again", action="store_true", help="judge every label anew by what is known now, but where a person has decided"
    )
    run_job(embed_pending, parser)


if __name__ == "__main__":
    main()
