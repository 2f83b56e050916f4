"""The demo's model: requested as a premium user would, run by the dispatcher, downloaded, and asked about a picture."""

import threading
from collections.abc import Callable
from pathlib import Path

from deep_images_hub.catalogue.datasets import DatasetVersion, training_pictures
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.models import TrainedModel, model_by_id, model_of_run, models
from deep_images_hub.catalogue.training import events_of, request_run, run_by_id, runs
from deep_images_hub.errors import UnavailableError
from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.predictions import Answer, OpenModels
from deep_images_hub.runtime.dispatcher import Dispatcher
from deep_images_hub.training import ENDED
from deep_images_hub.wiring import Hub

_FOLLOW_S = 0.5
_ANSWERS = 3


def train(hub: Hub, version: DatasetVersion, *, requested_by: int, say: Callable[[str], None]) -> TrainedModel:
    """Return a model of a dataset version by the configured backbone: the one that is there, or a new one.

    Raises:
        UnavailableError: the run failed; the message says why.
    """
    settings = hub.settings
    with hub.engine.begin() as connection:
        trained = [model for model in models(connection, version_id=version.id) if model.backbone == settings.backbone]
        if trained:
            say("   The model of this dataset is there already.")
            return trained[0]
        waiting = [run for run in runs(connection, version_id=version.id) if run.status not in ENDED]
        run_id = next((run.id for run in waiting if run.backbone == settings.backbone), None)
        if run_id is None:
            run_id = request_run(
                connection,
                version_id=version.id,
                requested_by=requested_by,
                backbone=settings.backbone,
                method=settings.training_method,
                workers=settings.training_workers,
            ).id
    _dispatch(hub, run_id, say)
    with hub.engine.connect() as connection:
        run = run_by_id(connection, run_id)
        model_id = model_of_run(connection, run_id)
        if model_id is None:
            raise UnavailableError(f"Training run {run_id} {run.status}: {run.message} Its log lies in {settings.home / 'logs'}.")
        return model_by_id(connection, model_id)


def _dispatch(hub: Hub, run_id: int, say: Callable[[str], None]) -> None:
    """Work the queue until it is empty, and tell how far our run is."""
    over = threading.Event()

    def follow() -> None:
        after_id = 0
        while not over.wait(_FOLLOW_S):
            with hub.engine.connect() as connection:
                events = events_of(connection, run_id=run_id, after_id=after_id)
            for event in events:
                after_id = event.id
                metrics = ", ".join(f"{name} {value:.3f}" for name, value in event.metrics.items())
                say(f"   {event.stage} {event.done}/{event.total}" + (f": {metrics}" if metrics else ""))

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        Dispatcher(hub).work(until_idle=True)
    finally:
        over.set()
        follower.join()


def download(hub: Hub, model: TrainedModel) -> tuple[Path, Path]:
    """Write a model's files under `home`, unless they are there; return the `.keras` file and the ONNX file."""
    folder = hub.settings.home / "downloads" / f"model-{model.id}"
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind, suffix in (("keras", ".keras"), ("onnx", ".onnx")):
        file = folder / f"{model.backbone}{suffix}"
        if not file.exists():
            part = file.with_suffix(".part")
            with part.open("wb") as model_file:
                for block in hub.store.read_blocks(model.file(kind).key):
                    model_file.write(block)
            part.replace(file)
        files.append(file)
    return files[0], files[1]


def ask(hub: Hub, model: TrainedModel) -> tuple[str, list[Answer]]:
    """Let the exported model answer on the first picture of the test split; return the picture's label name and the answers."""
    with hub.engine.connect() as connection:
        picture = next(picture for picture in training_pictures(connection, model.version_id) if picture.split == "test")
        label = label_by_code(connection, picture.label_code)
    photograph = decode(
        hub.store.read(picture.picture_key), max_pixels=hub.settings.max_pixels, short_side_px=hub.settings.image_side_px
    )
    if isinstance(photograph, Refusal):
        raise UnavailableError(f"The stored picture {picture.picture_key} cannot be read: {photograph.detail}")
    onnx = model.file("onnx")
    classifier = OpenModels(hub.store).classifier(key=onnx.key, sha256=onnx.sha256)
    return label.name, classifier.answers(photograph.picture, limit=_ANSWERS)
