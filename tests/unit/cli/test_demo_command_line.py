"""What the demo refuses before it starts anything."""

from pathlib import Path

import pytest

from deep_images_hub.cli.demo import main


def test_folder_of_photographs_that_is_missing_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert main(["--photos", str(tmp_path / "absent"), "--set", f"home={home}"]) == 1

    said = capsys.readouterr().err
    assert said.startswith(f"scripts/demo: There is no folder {tmp_path / 'absent'}. Expected a tree of folders")
    assert len(said.splitlines()) == 1
    assert not home.exists()


def test_number_of_photographs_that_is_none_is_told_with_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--images", "0"])
    assert "Expected: a whole number of at least 1." in capsys.readouterr().err
