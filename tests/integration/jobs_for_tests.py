"""A job that tests start with spark-submit in the place of a real one: it tells where its code came from, or waits."""

import json
import sys
import time
from argparse import ArgumentParser, Namespace

from pyspark.sql import SparkSession

from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job


def job_for_tests(hub: Hub, given: Namespace, spark: SparkSession) -> int:
    if given.wait:
        print("waiting", flush=True)
        spark.sparkContext.parallelize([0], 1).foreach(lambda _: time.sleep(120))

    def whereabouts(_: int) -> tuple[str, str]:
        import deep_images_hub
        from deep_images_hub.resources import resource

        return deep_images_hub.__file__, resource("config/default.toml").read_text(encoding="utf-8")

    found = spark.sparkContext.parallelize(range(2), 2).map(whereabouts).collect()
    print(json.dumps({"executors": found, "driver": sys.modules[Hub.__module__].__file__, "store": hub.settings.store_url}))
    return 0


if __name__ == "__main__":
    parser = ArgumentParser(prog="job_for_tests")
    parser.add_argument("--wait", action="store_true")
    run_job(job_for_tests, parser)
