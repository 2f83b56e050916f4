"""A job that a test starts with spark-submit in the place of a real one: the real ones, one after another.

From a crowd to a model in one Spark application. Each job in an application of its own, as they are started in truth, would wait
for another driver and other executors every time. In the end it tells where its code came from, as JSON.
"""

import json
import sys
from argparse import ArgumentParser, Namespace

from pyspark.sql import SparkSession

from deep_images_hub.catalogue.training import request_run
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.wiring import Hub
from spark_jobs.embed import embed_pending
from spark_jobs.entry import run_job
from spark_jobs.intake import intake
from spark_jobs.simulate_crowd import simulate_crowd
from spark_jobs.train_baseline import train_baseline


def whereabouts(_: int) -> tuple[str, str]:
    import deep_images_hub
    from deep_images_hub.resources import resource

    return deep_images_hub.__file__, resource("config/default.toml").read_text(encoding="utf-8")


def whole_way(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    crowd = {"images": None, "seed": 0, "defects": given.defects, "report": None}
    assert simulate_crowd(hub, Namespace(photos=given.photos, **crowd), spark) == 0
    assert intake(hub, Namespace(max_batches=None), spark) == 0
    with hub.engine.begin() as connection:
        version = freeze(connection, Recipe(label_codes=given.label, with_descendants=False), name="Some", created_by=None)
        run = request_run(connection, version_id=version.id, requested_by=None, backbone="compact_vgg", workers=2)
    assert embed_pending(hub, Namespace(again=False), spark) == 0
    assert train_baseline(hub, Namespace(run=run.id), spark) == 0
    found = spark.sparkContext.parallelize(range(2), 2).map(whereabouts).collect()
    print(json.dumps({"executors": found, "driver": sys.modules[Hub.__module__].__file__}))
    return 0


if __name__ == "__main__":
    parser = ArgumentParser(prog="whole_way_job")
    parser.add_argument("--photos")
    parser.add_argument("--defects")
    parser.add_argument("--label", action="append")
    run_job(whole_way, parser)
