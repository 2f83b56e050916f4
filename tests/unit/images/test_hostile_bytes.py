"""Hostile files: whatever the bytes, `examine` decides, quickly and in little memory."""

import random
import struct
import zlib
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from deep_images_hub.benches import fuzz
from deep_images_hub.images.crowding import MAX_PARTS, MAX_SCANS, crowding
from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.examine import ExaminationLimits, examine, limits_from_settings
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.hostile_files import HARMS, hostile_file, sound_files, with_many_scans
from deep_images_hub.simulation.png_chunks import png_chunk, with_chunks
from deep_images_hub.verdicts import REASONS
from tests.unit.images.photographs import encoded, png_bomb, scene, webp_bomb

SEED = 20260105
FILES = 500
# What a bomb may take beyond what was there before: the largest sound picture would take 600 MB.
MAX_GROWTH_MIB = 60


@pytest.fixture(scope="module")
def limits() -> ExaminationLimits:
    return limits_from_settings(Settings())


def test_hostile_files_are_decided_on_and_never_raise(limits: ExaminationLimits) -> None:
    decided, harms = set(), set()
    for number in range(FILES):
        file = hostile_file(SEED, number)
        found = examine(file.body, limits)
        decided.add(found.reason)
        harms.add(file.harm)
        assert found.reason in (None, *REASONS)
        assert (found.picture is None) or len(found.picture.jpeg) < 1_000_000
    assert harms == set(HARMS)
    assert decided >= {
        None, "not_an_image", "unsupported_format", "too_many_pixels", "animated", "truncated", "corrupt",
    }  # fmt: skip


def test_same_seed_and_number_give_the_same_file() -> None:
    assert [hostile_file(1, number) for number in range(20)] == [hostile_file(1, number) for number in range(20)]
    assert hostile_file(1, 7) != hostile_file(2, 7)


def test_sound_files_are_what_their_forms_come_to(limits: ExaminationLimits) -> None:
    reasons = {form: examine(body, limits).reason for form, body in sound_files().items()}
    animated = {"animated png", "animated webp"}
    unsupported = {"gif", "animated gif", "tiff", "bmp", "heic"}
    assert {form for form, reason in reasons.items() if reason == "animated"} == animated
    assert {form for form, reason in reasons.items() if reason == "unsupported_format"} == unsupported
    assert {reason for form, reason in reasons.items() if form not in animated | unsupported} <= {None, "light"}


def test_bench_counts_what_was_decided_and_goes_on_after_a_death(capsys: pytest.CaptureFixture[str]) -> None:
    given = Namespace(files=40, seed=SEED, first=0, keep=None, quick=True)
    found = fuzz.measure(Settings(), given)
    assert sum(found["decisions"].values()) == found["files"] == 40  # type: ignore[attr-defined]
    assert found["wrong"] == 0
    assert "slowest: file" in capsys.readouterr().out


def gif_bomb(frames: int = 1) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00"
    return head + frame * frames + b"\x3b"


def tiff_bomb() -> bytes:
    tags = ((256, 60_000), (257, 60_000), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 60_000), (279, 100))
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + directory + bytes(4)


def webp_of_many_frames() -> bytes:
    frames = [scene((16, 16)).rotate(angle) for angle in range(300)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=10)


def png_with(*chunks: bytes) -> bytes:
    return with_chunks(sound_files()["png"], chunks)


ZEROS = zlib.compress(bytes(200_000_000))
BOMBS: dict[str, tuple[Callable[[], bytes], set[str | None]]] = {
    "png": (lambda: png_bomb(60_000), {"too_many_pixels"}),
    "gif": (gif_bomb, {"unsupported_format"}),
    "gif of many frames": (lambda: gif_bomb(20_000), {"unsupported_format"}),
    "tiff": (tiff_bomb, {"unsupported_format"}),
    "webp": (lambda: webp_bomb(16_000), {"too_many_pixels"}),
    "webp of many frames": (webp_of_many_frames, {"animated"}),
    "colour profile": (lambda: png_with(png_chunk(b"iCCP", b"x\x00\x00" + ZEROS)), {"corrupt"}),
    "compressed text": (lambda: png_with(png_chunk(b"zTXt", b"a\x00\x00" + ZEROS)), {"corrupt", None}),
    "much text": (lambda: png_with(*[png_chunk(b"tEXt", b"a\x00" + bytes(900_000))] * 30), {"corrupt", None}),
    "chunks": (lambda: png_with(*[png_chunk(b"prVt", b"")] * (MAX_PARTS + 1)), {"corrupt"}),
    "segments": (lambda: sound_files()["jpeg"][:2] + b"\xff\xe5\x00\x02" * 5_000_000, {"corrupt"}),
    "bytes between segments": (lambda: sound_files()["jpeg"][:20] + bytes(20_000_000) + sound_files()["jpeg"][20:], {"corrupt"}),
    "scans": (lambda: with_many_scans(sound_files()["progressive jpeg"], 5_000), {"corrupt"}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_in_little_memory(name: str, limits: ExaminationLimits) -> None:
    make, reasons = BOMBS[name]
    body = make()
    # Linux then counts the peak anew, from what is there now.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before_mib = peak_rss_mib()
    assert examine(body, limits).reason in reasons
    assert peak_rss_mib() - before_mib < MAX_GROWTH_MIB


def peak_rss_mib() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def test_as_many_scans_as_honest_programs_write_are_decoded(limits: ExaminationLimits) -> None:
    body = sound_files()["progressive jpeg"]
    assert examine(with_many_scans(body, MAX_SCANS // 2), limits).reason is None
    # What phones put behind the picture, such as a film of the moment, is no part of it.
    assert examine(body + b"\xff\xda\x00\x02" * 2 * MAX_SCANS, limits).reason is None


def test_scans_cannot_hide_behind_an_end_in_a_comment(limits: ExaminationLimits) -> None:
    body = sound_files()["progressive jpeg"]
    first_scan_end = body.index(b"\xff\xc4", body.index(b"\xff\xda"))
    hidden = body[:first_scan_end] + b"\xff\xfe\x00\x04\xff\xd9" + body[first_scan_end:]
    assert examine(hidden, limits).reason is None
    assert examine(with_many_scans(hidden, 2 * MAX_SCANS), limits).reason == "corrupt"


def test_scans_cannot_hide_behind_a_marker_without_a_length() -> None:
    body = sound_files()["progressive jpeg"]
    last, end = body.rindex(b"\xff\xda"), body.rindex(b"\xff\xd9")
    # What follows the marker is no length: decoders go over it, to the scan.
    hidden = b"\xff\x01\xfe\xfe" + body[last:end]
    assert crowding(body[:end] + hidden * (MAX_SCANS // 4) + body[end:], "jpeg") is None
    assert crowding(body[:end] + hidden * (2 * MAX_SCANS) + body[end:], "jpeg") is not None


def test_any_beginning_of_a_file_is_decided_on() -> None:
    rng = random.Random(SEED)
    for body in sound_files().values():
        end = rng.randrange(1, 60)
        assert isinstance(decode(body[:end], max_pixels=1_000_000, short_side_px=64), Refusal)
