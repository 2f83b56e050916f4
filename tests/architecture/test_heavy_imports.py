"""What an entry point must not load: seconds and gigabytes that its users would pay for at every start."""

import json
import subprocess
import sys

import pytest

HEAVY = ("pyspark", "tensorflow", "keras", "flask", "pandas", "scipy")


def _loaded_by(module: str) -> set[str]:
    code = f"import json, sys; import {module}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    answer = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("deep_images_hub.wiring", set()),
        ("deep_images_hub.catalogue.tables", set()),
        ("deep_images_hub.cli.submit", set()),
        ("deep_images_hub.cli.dispatch", set()),
        ("deep_images_hub.cli.demo", set()),
        ("models.specs", set()),
        ("webapp", {"flask"}),
        ("spark_jobs.training_tasks", {"pyspark"}),
    ],
)
def test_import_loads_nothing_heavy(module: str, allowed: set[str]) -> None:
    assert _loaded_by(module) <= allowed


def test_probe_sees_what_is_loaded() -> None:
    assert "flask" in _loaded_by("flask")
