"""The jobs on a Spark cluster whose processes share nothing with the driver but S3 and PostgreSQL over TCP."""

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import text

from deep_images_hub.catalogue.models import model_by_id, model_of_run
from deep_images_hub.predictions import Classifier
from deep_images_hub.resources import resource
from deep_images_hub.runtime.spark_submit import QUICK_START, jobs, spark_submit
from deep_images_hub.settings import Settings, load_settings
from deep_images_hub.wiring import Hub, open_hub
from models.backbones import write_random_weights
from tests.builders import photographs, write_photographs
from tests.spark_cluster import SparkCluster
from tests.swift_server import SwiftServer

LABELS = ("Tea", "Coffee")
PHOTOS_PER_LABEL = 24
BACKBONE = "mobilenet_v2"
_JOB = Path(__file__).with_name("whole_way_job.py")

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")


@pytest.fixture
def settings(swift: SwiftServer, database_url: str, tmp_path: Path) -> Settings:
    bucket = f"s3://{swift.new_bucket()}"
    given = {"home": tmp_path / "home", "database_url": SecretStr(database_url), **swift.settings(bucket)}
    return load_settings({**given, "backbone": BACKBONE, "weights": f"{bucket}/weights/random.weights.h5"})


@pytest.fixture
def photos(tmp_path: Path) -> str:
    write_photographs(tmp_path / "photos", LABELS, per_label=PHOTOS_PER_LABEL)
    return str(tmp_path / "photos")


def environment_of(settings: Settings) -> dict[str, str]:
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    shown = {name: value.get_secret_value() if isinstance(value, SecretStr) else str(value) for name, value in given.items()}
    return {f"HUB_{name.upper()}": value for name, value in shown.items()}


def run_the_whole_way(settings: Settings, cluster: SparkCluster, *arguments: str) -> dict[str, Any]:
    """Start `whole_way_job` like any other job, but for its file; return what it tells."""
    some_job = next(iter(jobs()))
    options = ["--master", cluster.url, "--conf", f"spark.executor.extraJavaOptions={QUICK_START}"]
    command = spark_submit(settings, some_job, arguments, options=options)
    parts = [str(_JOB) if part.endswith(f"{some_job}.py") else part for part in command.arguments]
    environment = command.environment | environment_of(settings)
    ran = subprocess.run(parts, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def store_weights(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "random.weights.h5"
    write_random_weights(BACKBONE, file, seed=4)
    hub.store.create("weights/random.weights.h5", file.read_bytes())


def assert_everything_was_decided(hub: Hub) -> None:
    with hub.engine.connect() as connection:
        counted = connection.execute(text("select status, count(*) from submissions group by status"))
        outcomes = dict(counted.all())
        keys = connection.scalars(text("select picture_key from images union all select thumbnail_key from images")).all()
    assert sum(outcomes.values()) == len(LABELS) * PHOTOS_PER_LABEL
    assert outcomes.get("pending", 0) == 0
    assert outcomes["rejected"] >= 2
    assert outcomes["accepted"] > PHOTOS_PER_LABEL
    assert len(keys) == 2 * outcomes["accepted"]
    assert all(hub.store.read(key) for key in keys)


@pytest.mark.timeout(900)
def test_crowd_intake_features_and_training_on_two_workers_with_s3(settings: Settings, photos: str, tmp_path: Path) -> None:
    hub = open_hub(settings)
    store_weights(hub, tmp_path)

    with SparkCluster(tmp_path / "cluster", workers=2) as cluster:
        labels = [part for label in LABELS for part in ("--label", label)]
        told = run_the_whole_way(settings, cluster, "--photos", photos, "--defects", "truncated=0.1,exact_duplicate=0.1", *labels)
        shipped = {path.parts[-4] for path in cluster.folder.glob("work/*/app-*/*/deep_images_hub-*.zip")}

    assert_everything_was_decided(hub)
    assert shipped == {"0", "1"}, "each worker was sent the code"
    assert ".zip/" in told["driver"]
    for code, settings_file in told["executors"]:
        assert re.search(r"/deep_images_hub-[0-9a-f]{16}\.zip/deep_images_hub/__init__\.py$", code)
        assert settings_file == resource("config/default.toml").read_text(encoding="utf-8")
    with hub.engine.connect() as connection:
        assert connection.scalar(text("select count(*) from images where id not in (select image_id from embeddings)")) == 0
        model_id = model_of_run(connection, connection.scalar(text("select id from training_runs")))
        assert model_id is not None
        model = model_by_id(connection, model_id)
    assert model.label_codes == sorted(LABELS)
    answers = Classifier(hub.store.read(model.file("onnx").key)).answers(
        Image.open(io.BytesIO(photographs(1, seed="Tea")[0])), limit=5
    )
    assert {answer.label_code for answer in answers} == set(LABELS)
    hub.engine.dispose()
