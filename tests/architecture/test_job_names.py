"""Names beside a job: its folder is the first place that Python looks for a module."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_module_of_spark_jobs_hides_one_of_the_standard_library() -> None:
    modules = {path.stem for path in (ROOT / "spark_jobs").glob("*.py")}
    assert "entry" in modules
    assert modules & sys.stdlib_module_names == set()


def test_folders_of_resources_hold_no_importable_code() -> None:
    found = [path for folder in ("config", "scripts") for path in (ROOT / folder).rglob("*.py")]
    found += (ROOT / "sql").rglob("__init__.py")
    assert found == []
