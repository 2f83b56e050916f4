from pathlib import Path

import pytest

from deep_images_hub.cli.migrate import main

GOOD = "label,parent\nFood,\nApple,Food\nHell's Kitchen,Food\n"


def run(url: str, folder: Path, *arguments: str) -> int:
    return main([*arguments, "--set", f"database_url={url}", "--set", f"home={folder}"])


def test_migrate_command_with_labels_loads_them_once(
    empty_database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(GOOD)

    assert run(empty_database_url, tmp_path, "--labels", str(file)) == 0
    assert "Labels: 3 added, 0 renamed, 2 laid under others." in capsys.readouterr().out
    assert run(empty_database_url, tmp_path, "--labels", str(file)) == 0
    assert "Labels: 0 added, 0 renamed, 0 laid under others." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--labels", "nowhere.csv"], "There is no file nowhere.csv"),
        (["--hierarchy", "tree.json"], "--hierarchy came without --labels"),
    ],
)
def test_migrate_command_that_cannot_load_says_why(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(database_url, tmp_path, *arguments) == 1

    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
