"""Real photographs, where HUB_TEST_PHOTOS names a folder of them: honest ones get in, planted defects are found."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from deep_images_hub.images.examine import examine, limits_from_settings
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.defects import DEFECTS, UNCHANGED, plant

SAMPLE = 400
MAX_REJECTED_SHARE = 0.005


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    folder = os.environ.get("HUB_TEST_PHOTOS")
    if not folder:
        pytest.skip("HUB_TEST_PHOTOS names no folder of real photographs")
    files = sorted(file for file in Path(folder).rglob("*.jpg"))
    assert len(files) >= 100, f"HUB_TEST_PHOTOS={folder} holds {len(files)} photographs; expected at least 100"
    return [file.read_bytes() for file in random.Random(0).sample(files, min(SAMPLE, len(files)))]


def test_honest_photographs_are_accepted(bodies: list[bytes]) -> None:
    limits = limits_from_settings(Settings())
    reasons = [examine(body, limits).reason for body in bodies]
    assert sum(reason is not None for reason in reasons) <= MAX_REJECTED_SHARE * len(bodies), reasons


@pytest.mark.parametrize("defect", sorted(set(DEFECTS) - UNCHANGED))
def test_planted_defects_are_found(bodies: list[bytes], defect: str) -> None:
    limits = limits_from_settings(Settings())
    for number, body in enumerate(bodies[:40]):
        spoiled, _ = plant(body, defect, random.Random(number))
        assert examine(spoiled, limits).reason == DEFECTS[defect].expected_reason, number


# What becomes of files on broken disks and lines, beyond what the simulator plants. `at` is a place well inside the picture.
DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "last bytes lost": lambda body, at: body[: -1 - at % (len(body) // 50)],
    "filled up with zeros": lambda body, at: body[:at] + bytes(len(body) - at),
    "cut off, and ended": lambda body, at: body[:at] + b"\xff\xd9",
    "a cluster of zeros": lambda body, at: body[:at] + bytes(4096) + body[at + 4096 :],
    "a packet lost": lambda body, at: body[:at] + body[at + 1460 :],
    "sent as text": lambda body, at: body.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_found(bodies: list[bytes], damage: str) -> None:
    limits = limits_from_settings(Settings())
    rng = random.Random(damage)
    for number, body in enumerate(bodies[:100]):
        spoiled = DAMAGES[damage](body, rng.randrange(len(body) // 3, len(body) * 2 // 3))
        assert examine(spoiled, limits).reason in ("truncated", "corrupt"), number
