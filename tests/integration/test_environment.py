"""scripts/environment: made once, mended when it was interrupted, shared by commands that come together.

The lock here is empty, so that an environment is made within seconds and without a network; what it would install is pip's and
uv's to do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "environment"
_COMMAND = '#!/bin/sh\n. "$(dirname -- "$0")/environment"\nexec "$python" -c "import os; print(os.environ[\'HUB_HOME\'])"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of nothing but the script, an empty lock, and a command that prints HUB_HOME."""
    root = tmp_path / "Hell's Kitchen"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "scripts")
    (root / "scripts" / "command").write_text(_COMMAND)
    (root / "scripts" / "command").chmod(0o755)
    (root / "requirements.txt").write_text("# nothing\n")
    return root


def start(root: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["scripts/command"],
        cwd=root,
        env=os.environ | {"HUB_PYTHON": sys.executable} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(root: Path, **environment: str) -> tuple[int, str, str]:
    with start(root, **environment) as command:
        out, err = command.communicate()
    return command.returncode, out, err


def test_environment_is_made_once_and_mended_and_made_anew_where_it_is_moved(checkout: Path) -> None:
    status, out, err = run(checkout)
    assert (status, out) == (0, f"{checkout}/var\n"), err
    assert "Setting up the environment" in err

    assert run(checkout, HUB_HOME="/somewhere") == (0, "/somewhere\n", ""), "nothing to do, nothing to say"

    (checkout / "requirements.txt").write_text("# nothing, but newer\n")
    status, out, err = run(checkout)
    assert (status, "Bringing the environment in .venv up to date" in err) == (0, True), err

    # As an interrupted command leaves it: without its last file, and with half a pip.
    (checkout / ".venv" / "installed.txt").unlink()
    shutil.rmtree(next(checkout.glob(".venv/lib/python3*/site-packages/pip")) / "_internal")
    status, out, err = run(checkout)
    assert (status, out) == (0, f"{checkout}/var\n"), err

    moved = checkout.rename(checkout.with_name("moved"))
    status, out, err = run(moved)
    assert (status, out, "Setting up" in err) == (0, f"{moved}/var\n", True), err


def test_commands_that_come_together_make_one_environment(checkout: Path) -> None:
    commands = [start(checkout) for _ in range(2)]
    answers = [command.communicate() for command in commands]

    assert [command.returncode for command in commands] == [0, 0], answers
    assert sum("Setting up the environment" in err for _, err in answers) == 1


def without_python(folder: Path) -> str:
    """Make a PATH of the few programs that the script needs."""
    folder.mkdir()
    for name in ("sh", "dirname", "basename", "cmp", "cat", "awk", "rm", "cp"):
        program = shutil.which(name)
        assert program
        (folder / name).symlink_to(program)
    return str(folder)


def test_missing_python_is_named(checkout: Path, tmp_path: Path) -> None:
    status, _, err = run(checkout, HUB_PYTHON="", PATH=without_python(tmp_path / "bin"))
    assert status != 0
    assert err == "No Python between 3.11 and 3.13 was found on PATH. Install one, or set HUB_PYTHON to it.\n"


def test_python_without_venv_is_named_with_the_package_to_install(checkout: Path, tmp_path: Path) -> None:
    path = without_python(tmp_path / "bin")
    python = Path(path, "python3.12")
    python.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)

    status, _, err = run(checkout, HUB_PYTHON="", PATH=path)

    assert status != 0
    assert "python3.12 cannot make environments" in err
    assert "apt install python3.12-venv" in err
