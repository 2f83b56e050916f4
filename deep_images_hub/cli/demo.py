"""The main job, end to end: crowd, intake, features, dataset, model, answer, portal.

Every stage is what an operator or a user would do; the demo strings the stages together and tells what came of them. Running it
again does nothing twice: the crowd has sent its batches, the dataset is frozen, the model is trained.
"""

import json
import sys
import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file
from pathlib import Path

from deep_images_hub.catalogue.batches import crowd_funnel, crowd_label_codes
from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.cli import demo_training
from deep_images_hub.cli.arguments import whole_number
from deep_images_hub.cli.boundary import EXIT_STOPPED, run_command
from deep_images_hub.cli.demo_accounts import DemoAccounts
from deep_images_hub.cli.demo_demand import ask_for_more
from deep_images_hub.cli.demo_portal import serve_until_stopped
from deep_images_hub.cli.demo_report import DemoReport, summary
from deep_images_hub.cli.serve import expect_free_port
from deep_images_hub.datasets.download import write_zip
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.errors import NotFoundError, UnavailableError
from deep_images_hub.labels.load import load_labels
from deep_images_hub.pretrained_weights import weights_obstacle
from deep_images_hub.progress import as_duration
from deep_images_hub.resources import resource
from deep_images_hub.runtime.spark_submit import run_to_end, spark_submit
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub, open_hub, resolve

SCRATCH_BACKBONE = "compact_vgg"


class Stopwatch:
    """Announces each stage on stderr, and remembers how long it took."""

    def __init__(self) -> None:
        """Start with no stages."""
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[None]:
        """Time a block under a name."""
        say(f"\n── {title}")
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        say(f"   done in {as_duration(self.seconds[name])}")


def say(line: str) -> None:
    """Tell whoever watches; stdout is for the result."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and run the demo."""
    parser = ArgumentParser(
        prog="scripts/demo",
        description="A working image hub on this machine: simulated crowd, Spark intake, catalogue, dataset, model, portal.",
    )
    parser.add_argument("--photos", metavar="DIR|s3://BUCKET/PREFIX", help="labelled photographs: each folder is a label")
    parser.add_argument(
        "--images", type=whole_number(1), metavar="N", help="photographs in all (all that there are, or 840 drawn ones)"
    )
    parser.add_argument("--no-serve", action="store_true", help="end with one line of JSON instead of serving the portal")
    parser.add_argument("--began", type=float, help=SUPPRESS)
    return run_command(_demo, parser, sys.argv[1:] if arguments is None else arguments)


def _demo(settings: Settings, given: Namespace) -> int:
    _expect_photos(given.photos)
    if not given.no_serve:
        expect_free_port(settings)
    watch = Stopwatch()
    if given.began:
        watch.seconds["environment"] = round(time.time() - given.began, 1)
    with watch.stage("database", "Database: PostgreSQL, schema, accounts"):
        settings = resolve(_with_reachable_backbone(settings))
        migrate(settings)
        hub = open_hub(settings)
        accounts = DemoAccounts(settings.home)
        with hub.engine.begin() as connection:
            user_ids = accounts.ensure(connection)
    if not given.photos:
        with (
            watch.stage("labels", "Labels: the graph of the drawn products"),
            as_file(resource("config/labels/demo.csv")) as labels_file,
            hub.engine.begin() as connection,
        ):
            load_labels(connection, labels_file)
    try:
        report = _run_main_job(hub, given, watch, requested_by=user_ids["premium"])
        with hub.engine.begin() as connection:
            ask_for_more(connection, user_ids=user_ids)
            accounts.join_crowd(connection, report.crowd)
    finally:
        hub.engine.dispose()
    portal_url = f"http://{settings.portal_host}:{settings.portal_port}"
    print(summary(report, accounts, portal_url if not given.no_serve else f"{portal_url} once scripts/serve runs"), flush=True)
    if given.no_serve:
        print(report.as_json(), flush=True)
        return 0
    return serve_until_stopped(settings)


def _expect_photos(photos: str | None) -> None:
    """Raise NotFoundError for a folder that is not there, before anything is started for it."""
    if photos and "://" not in photos and not Path(photos).expanduser().is_dir():
        raise NotFoundError(f"There is no folder {photos}. Expected a tree of folders, each named after what it shows.")


def _run_main_job(hub: Hub, given: Namespace, watch: Stopwatch, *, requested_by: int) -> DemoReport:
    settings = hub.settings
    with watch.stage("crowd", "Crowd: suppliers send batches of photographs"):
        crowd = _send_crowd(settings, given)
    with watch.stage("intake", "Intake: every photograph is verified, and kept or refused with a reason"):
        _submit(settings, "intake")
    if settings.backbone != SCRATCH_BACKBONE:
        with watch.stage("features", f"Features: {settings.backbone} looks at every accepted picture once"):
            _submit(settings, "embed")
    with watch.stage("dataset", "Dataset: frozen and downloaded"):
        version, dataset_file = _freeze_and_download(hub, crowd, created_by=requested_by)
    with watch.stage("training", f"Training: {settings.backbone} over {settings.training_workers} Spark tasks"):
        model = demo_training.train(hub, version, requested_by=requested_by, say=say)
        model_file, onnx_file = demo_training.download(hub, model)
    with watch.stage("answer", "Answer: the exported model looks at a picture of the test split"):
        question, answers = demo_training.ask(hub, model)
    with hub.engine.connect() as connection:
        funnel = crowd_funnel(connection, crowd=crowd)
    return DemoReport(
        crowd=crowd,
        funnel=funnel,
        version=version,
        dataset_file=dataset_file,
        model=model,
        model_file=model_file,
        onnx_file=onnx_file,
        question=question,
        answers=answers,
        seconds=watch.seconds,
    )


def _with_reachable_backbone(settings: Settings) -> Settings:
    """Return settings whose network can be had here: the demo's one departure from what is configured, said aloud."""
    if settings.backbone == SCRATCH_BACKBONE:
        return settings
    obstacle = weights_obstacle(settings.model_copy(update={"home": settings.home.resolve()}), settings.backbone)
    if obstacle is None:
        return settings
    say(f"{obstacle}\nUntil then the demo trains {SCRATCH_BACKBONE}, a small network, from scratch on these photographs.")
    return settings.model_copy(update={"backbone": SCRATCH_BACKBONE})


def _send_crowd(settings: Settings, given: Namespace) -> str:
    """Let the crowd send, and return its name: the begin of its batches' keys."""
    report_file = settings.home / "demo-crowd.json"
    arguments = ["--report", str(report_file)]
    if given.photos:
        photos = given.photos if "://" in given.photos else str(Path(given.photos).expanduser().resolve())
        arguments += ["--photos", photos]
    if given.images is not None:
        arguments += ["--images", str(given.images)]
    _submit(settings, "simulate_crowd", *arguments)
    return str(json.loads(report_file.read_text(encoding="utf-8"))["crowd"])


def _submit(settings: Settings, job: str, *arguments: str) -> None:
    """Run a job to its end. Its own message has said what is wrong when it fails."""
    status = run_to_end(spark_submit(settings, job, [*arguments, "--set", f"backbone={settings.backbone}"]))
    if status == EXIT_STOPPED:
        raise KeyboardInterrupt
    if status != 0:
        raise UnavailableError(f"The job {job} ended with status {status}; its message is above. Run the demo again to go on.")


def _freeze_and_download(hub: Hub, crowd: str, *, created_by: int) -> tuple[DatasetVersion, Path]:
    """Freeze the pictures of the crowd's labels, and write their zip, unless the same zip is there."""
    with hub.engine.begin() as connection:
        label_codes = crowd_label_codes(connection, crowd=crowd)
        recipe = Recipe(label_codes=tuple(label_codes), with_descendants=False)
        version = freeze(connection, recipe, name=f"Demo: {len(label_codes)} labels", created_by=created_by)
    file = hub.settings.home / "downloads" / f"dataset-{version.digest[:12]}.zip"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("wb") as zip_file:
            write_zip(version, engine=hub.engine, store=hub.store, file=zip_file)
        part.replace(file)
    return version, file


if __name__ == "__main__":
    sys.exit(main())
