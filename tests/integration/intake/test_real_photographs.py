"""Real photographs, where HUB_TEST_PHOTOS names a folder of them: honest ones get in, planted defects are found."""

import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

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


def enlarged(body: bytes) -> bytes:
    """Return a photograph in the size of a camera's smallest."""
    with Image.open(io.BytesIO(body)) as photograph:
        scale = 1024 / max(photograph.size)
        large = io.BytesIO()
        photograph.resize((round(photograph.width * scale), round(photograph.height * scale))).save(large, "JPEG", quality=85)
    return large.getvalue()


def test_most_jpegs_that_are_spoiled_without_a_word_of_the_decoder_are_found(bodies: list[bytes]) -> None:
    limits = limits_from_settings(Settings())
    rng = random.Random(0)
    spoiled = found = 0
    for body in map(enlarged, bodies[:150]):
        at = rng.randrange(body.rindex(b"\xff\xda") + 20, len(body) - 200)
        damaged = body[:at] + rng.randbytes(64).replace(b"\xff", b"\xfe") + body[at + 64 :]
        try:
            pixels = simplejpeg.decode_jpeg(damaged).astype(int)
        except ValueError:
            continue
        if (np.abs(pixels - simplejpeg.decode_jpeg(body)).max(axis=2) > 12).mean() > 0.01:
            spoiled += 1
            found += examine(damaged, limits).reason == "corrupt"
    assert spoiled >= 20
    assert found >= 0.75 * spoiled, (found, spoiled)


def test_photograph_is_not_called_damaged_however_it_was_cut_and_coded(bodies: list[bytes]) -> None:
    limits = limits_from_settings(Settings())
    rng = random.Random(0)
    for number, body in enumerate(bodies):
        with Image.open(io.BytesIO(body)) as photograph:
            left, top = rng.randrange(40), rng.randrange(40)
            part = photograph.crop((left, top, photograph.width - rng.randrange(40), photograph.height - rng.randrange(40)))
            scale = rng.uniform(0.6, 3)
            again = io.BytesIO()
            options = {"subsampling": rng.randrange(3), "progressive": rng.random() < 0.2}
            part.resize((round(part.width * scale), round(part.height * scale))).save(
                again, "JPEG", quality=rng.choice([30, 60, 85, 95]), **options
            )
        assert examine(again.getvalue(), limits).reason not in ("truncated", "corrupt"), number


# libwebp makes a picture of nearly all of these; what gives them away is where it stops reading.
WEBP_DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "a cluster of zeros": lambda body, at: body[:at] + bytes(512) + body[at + 512 :],
    "other bytes": lambda body, at: body[:at] + random.Random(at).randbytes(32) + body[at + 32 :],
    "a byte lost": lambda body, at: body[:at] + body[at + 1 :] + b"\x00",
    "a bit turned over": lambda body, at: body[:at] + bytes([body[at] ^ 4]) + body[at + 1 :],
}


@pytest.mark.parametrize("damage", WEBP_DAMAGES)
def test_damaged_webps_are_found_but_for_one_in_a_hundred(bodies: list[bytes], damage: str) -> None:
    limits = limits_from_settings(Settings())
    rng = random.Random(damage)
    missed = []
    for number, body in enumerate(bodies[:100]):
        with Image.open(io.BytesIO(body)) as photograph:
            webp = io.BytesIO()
            photograph.save(webp, "WEBP", quality=80, method=0)
        sound = webp.getvalue()
        assert examine(sound, limits).reason not in ("truncated", "corrupt"), number
        spoiled = WEBP_DAMAGES[damage](sound, rng.randrange(100, len(sound) - 1000))
        if examine(spoiled, limits).reason not in ("truncated", "corrupt"):
            missed.append(number)
    assert len(missed) <= 1, missed
