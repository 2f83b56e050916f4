"""Thousands of broken photographs: whatever the bytes, `decode` answers, quickly and in little memory."""

import random
import resource
import time

import numpy as np
from PIL import Image

from deep_images_hub.images.decode import Photograph, Refusal, decode
from deep_images_hub.verdicts import BROKEN_REASONS
from tests.unit.images.photographs import encoded, exif, icc_profile, scene, several_frames

SOUND = (
    encoded(scene(), exif=exif(6), icc_profile=icc_profile(), comment=b"hello"),
    encoded(scene(), progressive=True),
    encoded(scene().convert("CMYK"), icc_profile=icc_profile()),
    several_frames("MPO"),
    encoded(scene(), "PNG", exif=exif(3), icc_profile=icc_profile()),
    encoded(scene().quantize(40), "PNG", transparency=bytes(range(40))),
    encoded(scene().convert("LA"), "PNG"),
    encoded(Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257), "PNG"),
    several_frames("PNG"),
    encoded(scene(), "WEBP", exif=exif(8), icc_profile=icc_profile()),
    encoded(scene().convert("RGBA"), "WEBP", lossless=True),
    several_frames("WEBP"),
)
NUMBERS = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x00\x00\xff\xff")


def spoiled(body: bytes, rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        # Half of the changes hit headers, where the decoders' decisions are made.
        at = rng.randrange(len(changed)) if rng.random() < 0.5 else rng.randrange(min(len(changed), 200))
        match rng.choice(("byte", "byte", "bit", "bit", "cut out", "put in", "number", "moved", "end")):
            case "byte":
                changed[at] = rng.randrange(256)
            case "bit":
                changed[at] ^= 1 << rng.randrange(8)
            case "cut out":
                del changed[at : at + rng.randrange(1, 50)]
            case "put in":
                changed[at:at] = rng.randbytes(rng.randrange(1, 30))
            case "number":
                changed[at : at + 4] = rng.choice(NUMBERS)
            case "moved":
                start = rng.randrange(len(changed))
                changed[at : at + 40] = changed[start : start + 40]
            case "end":
                del changed[at + 1 :]
        changed = changed or bytearray(b"x")
    return bytes(changed)


def test_hostile_bytes_never_raise_nor_take_long_nor_much_memory() -> None:
    rng = random.Random(20260105)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reasons = set()
    slowest_s = 0.0
    for _ in range(2500):
        body = spoiled(rng.choice(SOUND), rng)
        began = time.process_time()
        found = decode(body, max_pixels=1_000_000, short_side_px=64)
        slowest_s = max(slowest_s, time.process_time() - began)
        if isinstance(found, Refusal):
            reasons.add(found.reason)
        else:
            assert isinstance(found, Photograph)
            assert found.picture.mode == "RGB"
            assert min(found.picture.size) <= 64
    assert reasons <= set(BROKEN_REASONS)
    assert {"truncated", "corrupt", "not_an_image", "too_many_pixels"} <= reasons
    assert slowest_s < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100_000
