"""Photographs for benches: drawn at a camera's size, or those of a folder. Made once, and kept."""

import io
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.progress import Progress
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import compose

CAMERA_SIZE_PX = (1024, 768)
# A sensor's grain. It brings the files to about 210 kB, as photographs of this size are; a drawing alone has a third of that.
_GRAIN_LEVELS = 6.0
_QUALITY = 90


def drawn_photographs(folder: Path, count: int, *, workers: int) -> list[Path]:
    """Draw photographs of 1024 x 768 pixels, all different, unless they are there; return them in order."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:06d}.jpg" for number in range(count)]
    missing = [number for number, file in enumerate(files) if not file.exists()]
    if missing:
        with Progress("Drawing", total=len(missing), unit="photographs") as progress, ProcessPoolExecutor(workers) as pool:
            for _ in pool.map(partial(_draw, folder), missing, chunksize=8):
                progress.advance(1)
    return files


def _draw(folder: Path, number: int) -> None:
    labels = sorted(PRODUCTS)
    scene = compose(labels[number % len(labels)], random.Random(f"bench/{number}"))
    pixels = np.asarray(scene.resize(CAMERA_SIZE_PX, Image.Resampling.BICUBIC), np.float32)
    grain = np.random.default_rng(number).normal(0, _GRAIN_LEVELS, (*pixels.shape[:2], 1))
    body = io.BytesIO()
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(body, "JPEG", quality=_QUALITY)
    part = folder / f"{number:06d}.part"
    part.write_bytes(body.getvalue())
    part.replace(folder / f"{number:06d}.jpg")


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
