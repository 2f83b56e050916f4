"""Crowds for tests: sent by the real job into a hub of one's own."""

import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from deep_images_hub.catalogue.fingerprint import TableFingerprint, fingerprint
from deep_images_hub.labels.load import load_labels
from deep_images_hub.wiring import Hub
from spark_jobs.intake import intake
from spark_jobs.simulate_crowd import simulate_crowd

DEMO_LABELS = Path(__file__).parents[3] / "config" / "labels" / "demo.csv"
# Several times the usual rates, so that few photographs hold every defect.
MANY_DEFECTS = (
    "truncated=0.06,html=0.04,exact_duplicate=0.1,near_duplicate=0.05,blurry=0.05,dark=0.05,rotated_exif=0.05,cmyk=0.04,alpha=0.04,"
    "wrong_label=0.05"
)


def send_crowd(hub: Hub, spark: SparkSession, **given: Any) -> None:
    """Run simulate_crowd with these arguments."""
    with hub.engine.begin() as connection:
        load_labels(connection, DEMO_LABELS)
    arguments = {"photos": None, "images": None, "seed": 0, "defects": None, "report": None} | given
    assert simulate_crowd(hub, Namespace(**arguments), spark) == 0


def take_in(hub: Hub, spark: SparkSession, max_batches: int | None = None) -> int:
    """Run intake and return its exit status."""
    return intake(hub, Namespace(max_batches=max_batches), spark)


def catalogue_of(hub: Hub) -> dict[str, TableFingerprint]:
    with hub.engine.begin() as connection:
        return fingerprint(connection)


def objects_of(hub: Hub) -> dict[str, bytes]:
    return {stat.key: hub.store.read(stat.key) for stat in hub.store.list()}


def send_same_crowd(hub: Hub, spark: SparkSession, reference: Hub, **given: Any) -> None:
    """Send the crowd that another hub was sent, without drawing its photographs anew."""
    landing = Path(reference.store.url.removeprefix("file://")) / "landing"
    shutil.copytree(landing, Path(hub.store.url.removeprefix("file://")) / "landing")
    send_crowd(hub, spark, **given)
