"""Jobs started with spark-submit: their code is a zip, their exit status is told, Ctrl-C stops them cleanly."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from deep_images_hub.code_version import code_version
from deep_images_hub.errors import NotFoundError
from deep_images_hub.runtime.code_zip import build_code_zip
from deep_images_hub.runtime.spark_submit import SparkCommand, jobs, run_to_end, spark_submit
from deep_images_hub.settings import Settings, load_settings

_JOB = Path(__file__).with_name("waiting_job.py")

# run_to_end in a process of its own, like scripts/submit.
_RUN_TO_END = """
import json, sys
from deep_images_hub.runtime.spark_submit import SparkCommand, run_to_end
sys.exit(run_to_end(SparkCommand(**json.load(sys.stdin))))
"""


def command_of(settings: Settings, *, options: tuple[str, ...] = ()) -> SparkCommand:
    """Say how to start the job of these tests: like any other, but for its file."""
    some_job = next(iter(jobs()))
    command = spark_submit(settings, some_job, options=options)
    assert settings.database_url
    return SparkCommand(
        arguments=tuple(str(_JOB) if part.endswith(f"{some_job}.py") else part for part in command.arguments),
        environment=command.environment | {"HUB_DATABASE_URL": settings.database_url.get_secret_value()},
    )


def test_expected_error_is_one_message_and_status_1(tmp_path: Path, empty_database_url: str) -> None:
    settings = load_settings({"home": tmp_path, "database_url": SecretStr(empty_database_url)})
    command = command_of(settings)
    ran = subprocess.run(command.arguments, env=command.environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert re.search(r"^waiting_job: The catalogue is empty; .* Run scripts/migrate\.$", said, re.MULTILINE), said
    assert "Traceback" not in said


def test_job_that_is_stopped_ends_cleanly_with_status_130(settings: Settings) -> None:
    command = command_of(settings, options=("--master", "local[1]"))
    with subprocess.Popen(
        [sys.executable, "-c", _RUN_TO_END], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as submit:
        assert submit.stdin
        assert submit.stdout
        submit.stdin.write(json.dumps({"arguments": command.arguments, "environment": command.environment}))
        submit.stdin.close()
        said = [submit.stdout.readline()]
        while said[-1] not in ("waiting\n", ""):
            said.append(submit.stdout.readline())
        began = time.monotonic()
        submit.send_signal(signal.SIGINT)
        rest = submit.stdout.read()

    assert submit.returncode == 130, rest
    assert rest == "waiting_job: stopped.\n"
    assert time.monotonic() - began < 30
    assert not _processes_with(str(_JOB)), "nothing of the job is left"


def _processes_with(argument: str) -> list[str]:
    found = []
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if argument in command_line.read_text().split("\0"):
                found.append(command_line.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_job_that_does_not_stop_is_ended_by_the_second_signal(tmp_path: Path) -> None:
    program = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('deaf', flush=True); time.sleep(120)"
    command = {"arguments": [sys.executable, "-c", program], "environment": dict(os.environ)}
    (tmp_path / "command.json").write_text(json.dumps(command))
    with (
        (tmp_path / "command.json").open() as given,
        subprocess.Popen([sys.executable, "-c", _RUN_TO_END], stdin=given, stdout=subprocess.PIPE) as submit,
    ):
        assert submit.stdout
        submit.stdout.readline()
        submit.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        submit.send_signal(signal.SIGTERM)
    assert submit.returncode == 128 + signal.SIGTERM


def test_run_to_end_gives_the_exit_status_and_leaves_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run_to_end(SparkCommand(("sh", "-c", "exit 3"), dict(os.environ))) == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_unknown_job_names_the_nearest_and_lists_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no job 'intakes'\. Did you mean 'intake'\? Jobs: .*intake"):
        spark_submit(load_settings({"home": tmp_path}), "intakes")


def test_options_of_the_caller_win_and_their_files_come_along(tmp_path: Path) -> None:
    options = ("--master", "spark://elsewhere:7077", "--py-files", "mine.zip", "--driver-memory=9g")
    command = spark_submit(load_settings({"home": tmp_path}), next(iter(jobs())), options=options)

    parts = command.arguments
    last_of = {name: value for name, value in pairwise(parts) if name.startswith("--")}
    assert last_of["--master"] == "spark://elsewhere:7077"
    assert re.fullmatch(r"\S+/deep_images_hub-[0-9a-f]{16}\.zip,mine\.zip", last_of["--py-files"])
    assert parts.index("--driver-memory=9g") > parts.index("--driver-memory")
    assert "SPARK_LOCAL_IP" not in command.environment.keys() - os.environ.keys(), "executors elsewhere must reach the driver"


def test_code_zip_of_the_same_code_is_made_once(tmp_path: Path) -> None:
    first = build_code_zip(tmp_path / "one")
    made = first.stat().st_mtime_ns
    assert build_code_zip(tmp_path / "one") == first
    assert first.stat().st_mtime_ns == made
    second = build_code_zip(tmp_path / "two")
    assert (second.name, second.read_bytes()) == (first.name, first.read_bytes())
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert {"deep_images_hub/__init__.py", "spark_jobs/entry.py", "deep_images_hub/resources/config/default.toml"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("webapp/")]


def test_code_in_the_zip_knows_the_commit_that_it_was_built_from(tmp_path: Path) -> None:
    code = build_code_zip(tmp_path)
    asked = "import json; from deep_images_hub import code_version as of; print(of.__file__, json.dumps(of.code_version()))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(code)}
    command = (sys.executable, "-c", asked)
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    file, _, version = said.stdout.partition(" ")
    assert file.startswith(str(code))
    assert json.loads(version) == code_version()
