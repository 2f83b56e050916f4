"""The bench of near-duplicates, on a hub small enough for a test: it finds what it planted, and leaves nothing behind."""

from argparse import Namespace
from pathlib import Path

import pytest

from deep_images_hub.benches.duplicates import measure
from deep_images_hub.settings import load_settings


def test_bench_finds_the_copies_that_it_planted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(load_settings({"home": tmp_path}), Namespace(images=1_500, quick=True))

    assert found["images"] == 1_500
    assert 0.4 < found["candidates_per_image"] < 2
    assert {f"{name}_ms" for name in ("index", "compared", "scan")} < found.keys()
    # 150 changed copies and their originals.
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "near-duplicates" in line]
    assert int(line.split()[5]) >= 0.95 * 300
    assert list((tmp_path / "bench").iterdir()) == []
