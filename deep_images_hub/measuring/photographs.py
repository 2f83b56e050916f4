"""Photographs for benches: drawn at a camera's size, or those of a folder. Made once, and kept."""

import io
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.progress import Progress
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import compose

CAMERA_SIZE_PX = (1024, 768)
# A sensor's grain. It brings the files to about 210 kB, as photographs of this size are; a drawing alone has a third of that.
_GRAIN_LEVELS = 6.0
_GRAIN_MARGIN_PX = 256
# Photographs of one scene, from nearer and further left and right: composing a scene takes longer than all else together.
_SHOTS = 8
_QUALITY = 90


def drawn_photographs(folder: Path, count: int, *, workers: int) -> list[Path]:
    """Draw photographs of 1024 x 768 pixels, all different, unless they are there; return them in order."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:06d}.jpg" for number in range(count)]
    missing = [number for number, file in enumerate(files) if not file.exists()]
    if missing:
        with Progress("Drawing", total=len(missing), unit="photographs") as progress, ProcessPoolExecutor(workers) as pool:
            scenes = [list(shots) for _, shots in groupby(missing, key=lambda number: number // _SHOTS)]
            for drawn in pool.map(partial(_draw, folder), scenes):
                progress.advance(drawn)
    return files


def _draw(folder: Path, shots: Sequence[int]) -> int:
    """Draw shots of one scene, and return how many."""
    labels = sorted(PRODUCTS)
    scene_number = shots[0] // _SHOTS
    scene = compose(labels[scene_number % len(labels)], random.Random(f"bench/{scene_number}"))
    for number in shots:
        _shoot(scene, folder, number)
    return len(shots)


def _shoot(scene: Image.Image, folder: Path, number: int) -> None:
    rng = random.Random(f"bench/shot/{number}")
    width, height = (round(side * rng.uniform(0.5, 0.8)) for side in scene.size)
    left, top = rng.randrange(scene.width - width), rng.randrange(scene.height - height)
    shot = scene.crop((left, top, left + width, top + height))
    if rng.random() < 0.5:
        shot = shot.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(shot.resize(CAMERA_SIZE_PX, Image.Resampling.BILINEAR), np.float32)
    pixels += _grain(rng)
    np.clip(pixels, 0, 255, out=pixels)
    body = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(body, "JPEG", quality=_QUALITY)
    part = folder / f"{number:06d}.part"
    part.write_bytes(body.getvalue())
    part.replace(folder / f"{number:06d}.jpg")


def _grain(rng: random.Random) -> NDArray[np.float32]:
    """Return a cut of a sensor's grain, (height, width, 1), the same in all colours."""
    width, height = CAMERA_SIZE_PX
    top, left = rng.randrange(_GRAIN_MARGIN_PX), rng.randrange(_GRAIN_MARGIN_PX)
    return _grain_sheet()[top : top + height, left : left + width, None]


@cache
def _grain_sheet() -> NDArray[np.float32]:
    # Drawn once: normal numbers for every pixel of every photograph would cost as much as all else together.
    width, height = (side + _GRAIN_MARGIN_PX for side in CAMERA_SIZE_PX)
    return np.random.default_rng(0).standard_normal((height, width), dtype=np.float32) * np.float32(_GRAIN_LEVELS)


def photographs_of(folder: Path, count: int) -> list[Path]:
    """Return photographs of a folder tree, evenly from all over it, at most so many.

    Raises:
        InvalidInputError: there are none.
    """
    found: Sequence[Path] = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not found:
        raise InvalidInputError(f"{folder} holds no .jpg files. Expected: a folder of photographs, in folders or not.")
    step = max(1.0, len(found) / count)
    return [found[int(number * step)] for number in range(min(count, len(found)))]
