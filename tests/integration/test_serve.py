"""scripts/serve: gunicorn with the portal, from settings to a page, and a stop that lets requests end."""

import os
import re
import signal
import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest

from deep_images_hub.settings import Settings

_COMMAND = [sys.executable, "-m", "deep_images_hub.cli.serve"]


def environment_of(settings: Settings, database_url: str) -> dict[str, str]:
    return os.environ | {"HUB_HOME": str(settings.home), "HUB_DATABASE_URL": database_url}


def test_serve_answers_with_the_portal_and_stops_when_asked(settings: Settings, database_url: str) -> None:
    with subprocess.Popen(
        [*_COMMAND, "--port", "0", "--workers", "2", "--set", "max_upload_bytes=1000000"],
        env=environment_of(settings, database_url),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr
        said = ""
        while not (listening := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", said)):
            line = server.stderr.readline()
            assert line, said
            said += line
        with urlopen(listening[1], timeout=60) as answer:
            page = answer.read().decode()
        server.send_signal(signal.SIGTERM)
        said += server.stderr.read()

    assert "Deep Images Hub" in page
    assert server.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_port_that_is_taken_is_told_before_anything_starts(settings: Settings, database_url: str, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", f"deep_images_hub.cli.{command}", "--set", f"portal_port={port}"],
            env=environment_of(settings, database_url),
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"scripts/{command}: Another program listens at 127.0.0.1:{port}")
    assert len(refused.stderr.splitlines()) == 1


def test_serve_without_a_migrated_catalogue_says_so_once(settings: Settings, empty_database_url: str) -> None:
    refused = subprocess.run(
        _COMMAND, env=environment_of(settings, empty_database_url), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert re.fullmatch(r"scripts/serve: The catalogue is empty; .* Run scripts/migrate\.\n", refused.stderr)


def test_migrate_makes_the_catalogue_and_is_harmless_again(settings: Settings, empty_database_url: str) -> None:
    command = [sys.executable, "-m", "deep_images_hub.cli.migrate"]
    environment = environment_of(settings, empty_database_url)
    first, second = (subprocess.run(command, env=environment, capture_output=True, text=True, check=False) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "The catalogue is at revision" in first.stdout
    assert second.stdout == first.stdout
