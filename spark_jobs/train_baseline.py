"""Train the baseline model of a training run, judge it, and publish it.

Reads: the run and its dataset version; features of the version's pictures (those that lack are computed first), or the pictures.
Writes: `training_events` as it goes; at the end, in one transaction, `trained_models` and the run's end. Before that, the model's
files in the store, under the run's number and attempt; while it trains, checkpoints, which are removed when the run ends.

Running it twice is harmless: a run that has ended is not trained again. Killed anywhere, it leaves a run whose lease runs out;
the next attempt goes on from the last checkpoint, and writes the model's files under keys of its own. Started by the dispatcher,
which holds the run's lease, or by hand, then it takes the run itself. What runs on Spark's workers is in `training_tasks`, what
judges the model and makes its files in `publishing`.
"""

import os
import secrets
import socket
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, NoReturn

from pyspark.sql import SparkSession

from deep_images_hub.catalogue.datasets import version_by_id
from deep_images_hub.catalogue.embeddings import PendingImage, features_of
from deep_images_hub.catalogue.models import save_model
from deep_images_hub.catalogue.training import (
    TrainingRun,
    events_of,
    fail_run,
    finish_run,
    has_ended,
    renew_lease,
    run_by_id,
    take_run,
)
from deep_images_hub.errors import ConflictError, HubError, UnavailableError
from deep_images_hub.mlflow_tracking import track
from deep_images_hub.pretrained_weights import WeightsFile, obtain_weights
from deep_images_hub.training import ENDED, failure_of
from deep_images_hub.wiring import Hub
from models.specs import backbone_spec
from models.training_config import load_card
from spark_jobs.checkpoints import remove_checkpoints
from spark_jobs.embedding import Network, embed
from spark_jobs.entry import run_job
from spark_jobs.head_choosing import with_chosen_head
from spark_jobs.publishing import publish
from spark_jobs.run_progress import shown, tell
from spark_jobs.second_phase import second_phase
from spark_jobs.tensorflow_process import fresh_process, load_tensorflow
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet
from spark_jobs.training_tasks import train_on_workers


def train_baseline(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    """Train a run. Whatever is expected to go wrong is written down as the run's end."""
    with hub.engine.connect() as connection:
        run = run_by_id(connection, given.run)
    if run.status in ENDED:
        raise ConflictError(f"Training run {run.id} has {run.status}: {run.message} Request another one.")
    if run.status == "waiting":
        raise ConflictError(f"Training run {run.id} waits for pictures. A dispatcher puts it into the queue when they are there.")
    with _owned(hub, run, spark) as run, ExitStack() as at_the_end:
        # Also after a Ctrl-C, which a dispatcher sends when its run was cancelled.
        at_the_end.callback(_forget_checkpoints, hub, run)
        assert run.lease_owner is not None
        try:
            with shown(hub.engine, run_id=run.id, attempt=run.attempt):
                model = _train_and_publish(hub, run, spark)
        except HubError as error:
            _write_failure(hub, run, error)
            raise
        top1, (low, high) = model["metrics"]["test_top1"], model["metrics"]["test_top1_interval"]
        message = f"Right on {top1:.1%} of the test pictures (95 %: {low:.1%} to {high:.1%})."
        with hub.engine.begin() as connection:
            finish_run(connection, run_id=run.id, owner=run.lease_owner, status="succeeded", message=message)
            save_model(connection, run_id=run.id, **model)
    _track(hub, run, model)
    print(f"train_baseline: run {run.id} succeeded. {message}")
    return 0


@contextmanager
def _owned(hub: Hub, run: TrainingRun, spark: SparkSession) -> Iterator[TrainingRun]:
    """Hold the run's lease for the length of the block: the dispatcher's, which looks after it, or one that we take and renew."""
    if run.status == "running":
        yield run
        return
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    with hub.engine.begin() as connection:
        taken = take_run(connection, owner=owner, lease_s=hub.settings.lease_s, run_id=run.id)
    if taken is None:
        raise ConflictError(f"Training run {run.id} was taken by another process meanwhile. Look at its progress in the portal.")
    over = threading.Event()

    def keep() -> None:
        while not over.wait(hub.settings.lease_s / 3):
            with hub.engine.begin() as connection:
                is_ours = renew_lease(connection, run_id=run.id, owner=owner, lease_s=hub.settings.lease_s)
            if not is_ours:
                spark.sparkContext.cancelAllJobs()
                return

    keeper = threading.Thread(target=keep, name="lease", daemon=True)
    keeper.start()
    try:
        yield taken
    finally:
        over.set()
        keeper.join()


def _write_failure(hub: Hub, run: TrainingRun, error: HubError) -> None:
    """Write the reason down, unless the run is no longer ours: cancelled, or taken by another. It may be tried again."""
    assert run.lease_owner is not None
    with hub.engine.begin() as connection:
        now = run_by_id(connection, run.id)
        if now.status == "running" and now.lease_owner == run.lease_owner:
            fail_run(
                connection,
                run_id=run.id,
                owner=run.lease_owner,
                failure=failure_of(error),
                message=str(error),
                first_wait_s=hub.settings.training_retry_s,
            )


def _track(hub: Hub, run: TrainingRun, model: dict[str, Any]) -> None:
    """Tell the MLflow server, if the settings name one. The run has succeeded, whatever comes of it."""
    if hub.settings.mlflow_url is None:
        return
    try:
        with hub.engine.connect() as connection:
            ended = run_by_id(connection, run.id)
            events = [event for event in events_of(connection, run_id=run.id) if event.attempt == run.attempt]
            digest = version_by_id(connection, run.version_id).digest
    except UnavailableError:
        return
    track(hub.settings, ended, model, events, digest)


def _forget_checkpoints(hub: Hub, run: TrainingRun) -> None:
    """Remove what the run would go on from, unless it is tried again. Where that fails, a sweep removes it later."""
    with suppress(UnavailableError):
        with hub.engine.connect() as connection:
            is_over = has_ended(connection, run.id)
        if is_over:
            remove_checkpoints(hub.store, run.id)


def _train_and_publish(hub: Hub, run: TrainingRun, spark: SparkSession) -> dict[str, Any]:
    """Go through the stages, and return what `save_model` is to write down."""
    with hub.engine.connect() as connection:
        training_set = TrainingSet.of_version(connection, run.version_id)
        version_digest = version_by_id(connection, run.version_id).digest
    training_set.check()
    weights, features_model = None, None
    if backbone_spec(run.backbone).is_pretrained:
        weights = obtain_weights(hub.settings, run.backbone)
        features_model = _complete_features(hub, run, spark, training_set, weights)
    card = run.backbone if features_model is None else "head"
    plan = TrainingPlan(
        settings=hub.settings,
        run_id=run.id,
        attempt=run.attempt,
        version_id=run.version_id,
        version_digest=version_digest,
        backbone=run.backbone,
        features_model=features_model,
        weights_sha256=None if weights is None else weights.sha256,
        config=load_card(card, seed=hub.settings.training_seed),
    )
    plan = with_chosen_head(hub, plan, training_set)
    trained = train_on_workers(spark.sparkContext, plan, workers=run.workers)
    load_tensorflow()
    beside = None
    if run.method == "fine_tune" and features_model is not None:
        second = second_phase(hub, plan, training_set, trained)
        fine_tuned = train_on_workers(spark.sparkContext, second.plan, workers=run.workers)
        beside = second.beside_head(fine_tuned)
        if beside.is_published:
            plan, training_set, trained = second.plan, second.training_set, fine_tuned
    told = partial(tell, hub.engine, run_id=run.id, attempt=run.attempt)
    # It loads TensorFlow while the model is judged here.
    with fresh_process() as call_apart:
        return publish(hub, plan, training_set, trained, weights, beside, tell=told, call_apart=call_apart)


def _complete_features(hub: Hub, run: TrainingRun, spark: SparkSession, training_set: TrainingSet, weights: WeightsFile) -> str:
    """Compute the features that pictures of the version lack, and return the name under which all are kept."""
    network = Network(run.backbone, weights.sha256)
    with hub.engine.connect() as connection:
        present = set(features_of(connection, model=network.model, version_id=run.version_id)[0].tolist())
    missing = [
        PendingImage(picture.image_id, picture.picture_key)
        for picture in training_set.pictures
        if picture.image_id not in present
    ]
    if missing:
        told = -1

        def on_progress(done: int) -> None:
            nonlocal told
            if done > told:
                tell(hub.engine, run_id=run.id, attempt=run.attempt, stage="features", done=done, total=len(missing))
                told = done

        embed(spark, hub.settings, network, missing, on_progress=on_progress)
    return network.model


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="train_baseline", description=__doc__.partition("\n")[0])
    parser.add_argument("--run", type=int, required=True, metavar="ID", help="number of the training run")
    run_job(train_baseline, parser)


if __name__ == "__main__":
    main()
