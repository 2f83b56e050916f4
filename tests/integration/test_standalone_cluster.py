"""The jobs on a Spark cluster whose processes share nothing with the driver but S3 and PostgreSQL over TCP."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from deep_images_hub.resources import resource
from deep_images_hub.runtime.spark_submit import spark_submit
from deep_images_hub.settings import Settings, load_settings
from deep_images_hub.wiring import open_hub
from tests.spark_cluster import SparkCluster
from tests.swift_server import SwiftServer

IMAGES = 24


@pytest.fixture
def settings(swift: SwiftServer, database_url: str, tmp_path: Path) -> Settings:
    stored = swift.settings(f"s3://{swift.new_bucket()}")
    return load_settings({"home": tmp_path / "home", "database_url": SecretStr(database_url), **stored})


def environment_of(settings: Settings) -> dict[str, str]:
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    shown = {name: value.get_secret_value() if isinstance(value, SecretStr) else str(value) for name, value in given.items()}
    return {f"HUB_{name.upper()}": value for name, value in shown.items()}


def run(settings: Settings, cluster: SparkCluster, job: str, *arguments: str) -> str:
    command = spark_submit(settings, job, arguments, options=["--master", cluster.url])
    environment = command.environment | environment_of(settings)
    ran = subprocess.run(command.arguments, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.mark.timeout(900)
def test_crowd_and_intake_on_two_workers_with_s3(settings: Settings, tmp_path: Path) -> None:
    labels = str(resource("config/labels/demo.csv"))
    migrate = [sys.executable, "-m", "deep_images_hub.cli.migrate", "--labels", labels]
    subprocess.run(migrate, env=os.environ | environment_of(settings), check=True, capture_output=True)

    with SparkCluster(tmp_path / "cluster", workers=2) as cluster:
        run(settings, cluster, "simulate_crowd", "--images", str(IMAGES), "--defects", "truncated=0.2,exact_duplicate=0.2")
        run(settings, cluster, "intake")
        shipped = {path.parts[-4] for path in cluster.folder.glob("work/*/app-*/*/deep_images_hub-*.zip")}

    assert shipped == {"0", "1"}, "each worker was sent the code"
    hub = open_hub(settings)
    with hub.engine.connect() as connection:
        counted = connection.execute(text("select status, count(*) from submissions group by status"))
        outcomes = dict(counted.all())
        keys = connection.scalars(text("select picture_key from images union all select thumbnail_key from images")).all()
    assert sum(outcomes.values()) == IMAGES
    assert outcomes.get("pending", 0) == 0
    assert outcomes["rejected"] >= 2
    assert outcomes["accepted"] > IMAGES / 2
    assert len(keys) == 2 * outcomes["accepted"]
    assert all(hub.store.read(key) for key in keys)
    hub.engine.dispose()
