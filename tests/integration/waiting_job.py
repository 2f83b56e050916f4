"""A job that a test starts with spark-submit in the place of a real one, and that waits for longer than any test."""

import time
from argparse import ArgumentParser, Namespace

from pyspark.sql import SparkSession

from deep_images_hub.wiring import Hub
from spark_jobs.entry import run_job


def waiting_job(_hub: Hub, _given: Namespace, spark: SparkSession) -> int:
    print("waiting", flush=True)
    spark.sparkContext.parallelize([0], 1).foreach(lambda _: time.sleep(120))
    return 0


if __name__ == "__main__":
    run_job(waiting_job, ArgumentParser(prog="waiting_job"))
