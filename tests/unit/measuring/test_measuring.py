"""What benches are made of."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from deep_images_hub.cli.bench import main
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.measuring.photographs import CAMERA_SIZE_PX, drawn_photographs, photographs_of
from deep_images_hub.measuring.processes import Cost, Sample, Watched, cost_of_children


def test_drawn_photographs_are_all_different_and_made_once(tmp_path: Path) -> None:
    files = drawn_photographs(tmp_path, 3, workers=1)
    assert len({file.read_bytes() for file in files}) == 3
    for file in files:
        with Image.open(file) as image:
            assert image.size == CAMERA_SIZE_PX
    written = [file.stat().st_mtime_ns for file in files]
    assert [file.stat().st_mtime_ns for file in drawn_photographs(tmp_path, 3, workers=1)] == written


def test_photographs_of_a_folder_come_from_all_over_it(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.jpg").touch()
    assert [file.stem for file in photographs_of(tmp_path, 5)] == ["0", "2", "4", "6", "8"]
    with pytest.raises(InvalidInputError, match=r"holds no \.jpg files"):
        photographs_of(tmp_path / "nowhere", 5)


def test_cost_is_that_of_the_processes_that_were_started() -> None:
    with cost_of_children() as cost:
        subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)
    assert cost.cpu_s > 0
    assert cost.wall_s > 0


def test_watched_are_the_processes_that_were_meant_and_their_server() -> None:
    program = (
        "import time; body = bytearray(120_000_000); s = time.process_time()\n"
        "while time.process_time() - s < 0.3: pass\nprint('there', flush=True); time.sleep(30)"
    )
    done = [0]
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    with Watched("BENCH=one", server=server.pid, progress=lambda: done[0]) as watched:
        children = [
            subprocess.Popen([sys.executable, "-c", program], env=os.environ | {"BENCH": name}, stdout=subprocess.PIPE)
            for name in ("one", "other")
        ]
        for child in (*children, server):
            assert child.stdout
            child.stdout.readline()
        began = time.monotonic()
        # They have used it all, and sleep; the last look at them may be from before.
        while (watched.peak_mib("bytearray") < 115 or watched.cpu_s < 0.3) and time.monotonic() - began < 20:
            time.sleep(0.05)
        done[0] = 10
        for child in (*children, server):
            child.kill()
            child.communicate()
    assert 115 <= watched.peak_mib("bytearray") < 250
    assert watched.peak_mib("another program") == 0
    assert 0.3 <= watched.cpu_s < 3


@pytest.mark.parametrize("is_asked", [False, True])
def test_what_a_server_uses_to_tell_how_far_the_work_is_counts_for_nothing(is_asked: bool) -> None:
    program = "import time\nwhile time.process_time() < 0.3: pass\nprint('there', flush=True); time.sleep(30)"
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert server.stdout
    server.stdout.readline()
    with Watched("BENCH=none", server=server.pid, asked=server.pid if is_asked else None) as watched:
        pass
    used_s = watched._samples[-1].cpu_s
    server.kill()
    server.communicate()
    assert used_s == 0 if is_asked else used_s > 0.2


def test_cost_of_work_begins_when_it_is_under_way() -> None:
    watched = Watched("BENCH=none")
    watched._samples = [
        Sample(0.0, 5.0, 0),
        Sample(7.0, 9.0, 20),
        Sample(8.0, 10.0, 60),
        Sample(9.0, 11.0, 100),
        Sample(19.0, 12.0, 100),
    ]
    assert watched.cost_by_unit() == Cost(2 / 80, 2 / 80)


def test_unknown_bench_names_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["intakes"]) == 1
    assert "There is no bench 'intakes'. Benches: " in capsys.readouterr().err
