"""Descriptors of pictures that nobody took, for catalogues that benches fill.

A picture is a sum of random waves whose strength falls with their frequency, as in photographs, so that hashes crowd together as
those of photographs do. No pixel is ever drawn.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.images.descriptor import GRID_BYTES, GRID_SIDE, MARGIN
from deep_images_hub.images.difference_hash import BAND_BITS, BANDS, HASH_BITS, LONG_CELLS, SHORT_CELLS

# Pictures that are made up at once.
CHUNK_IMAGES = 20_000
_WAVES = 9

Waves = NDArray[np.float32]


def fill_descriptors(connection: Connection, first_id: int, images: int) -> None:
    """Give pictures with consecutive ids descriptors; to be quick, only the first CHUNK_IMAGES have grids of their own.

    Always the same ones: the first chunk is `waves(np.random.default_rng(0), CHUNK_IMAGES)`.
    """
    rng = np.random.default_rng(0)
    for done in range(0, images, CHUNK_IMAGES):
        some = waves(rng, min(CHUNK_IMAGES, images - done))
        if done == 0:
            copy_descriptors(connection, first_id, some)
        else:
            _copy_hashes(connection, first_id + done, some)


def copy_descriptors(connection: Connection, first_id: int, pictures: Waves) -> None:
    """Write the descriptors of pictures with consecutive ids."""
    copy_rows(connection, "descriptors", ("image_id", "whole_hash", "inner_hash", "grid"), _rows(first_id, pictures))


def _copy_hashes(connection: Connection, first_id: int, pictures: Waves) -> None:
    connection.execute(text("create temporary table if not exists hashes (whole bigint, inner_ bigint, number integer)"))
    connection.execute(text("truncate hashes"))
    rows = zip(hashes(pictures, 0.0).tolist(), hashes(pictures, MARGIN).tolist(), range(len(pictures)), strict=True)
    copy_rows(connection, "hashes", ("whole", "inner_", "number"), rows)
    connection.execute(
        text("insert into descriptors select :first_id + number, whole, inner_, :grid from hashes"),
        {"first_id": first_id, "grid": bytes(GRID_BYTES)},
    )


def _rows(first_id: int, pictures: Waves) -> Iterator[tuple[int, int, int, str]]:
    found = (hashes(pictures, 0.0), hashes(pictures, MARGIN))
    levels = pictures @ _samples(GRID_SIDE, GRID_SIDE, 0.0)
    grids = np.clip(128 + 40 * levels, 0, 255).astype(np.uint8)
    for number, (whole, inner, grid) in enumerate(zip(*(of.tolist() for of in found), grids, strict=True)):
        yield first_id + number, whole, inner, rf"\x{grid.tobytes().hex()}"


def waves(rng: np.random.Generator, count: int) -> Waves:
    """Return (count, _WAVES²): how strong each wave is in made-up pictures, by vertical, then horizontal frequency."""
    down, across = np.indices((_WAVES, _WAVES))
    frequency = np.hypot(down, across)
    frequency[0, 0] = np.inf
    return (rng.standard_normal((count, _WAVES**2)) / frequency.ravel()).astype(np.float32)


@cache
def _samples(height: int, width: int, margin: float) -> Waves:
    """Return (_WAVES², height · width): every wave at the middles of a grid's cells, without the picture's margins."""

    def cosines(cells: int) -> NDArray[np.float64]:
        at = margin + (1 - 2 * margin) * (np.arange(cells) + 0.5) / cells
        return np.cos(np.pi * np.outer(np.arange(_WAVES), at))

    return np.kron(cosines(height), cosines(width)).astype(np.float32)


def hashes(pictures: Waves, margin: float) -> NDArray[np.int64]:
    """Return what `difference_hash` gives for such pictures."""
    across = (pictures @ _samples(SHORT_CELLS, LONG_CELLS, margin)).reshape(-1, SHORT_CELLS, LONG_CELLS)
    down = (pictures @ _samples(LONG_CELLS, SHORT_CELLS, margin)).reshape(-1, LONG_CELLS, SHORT_CELLS)
    is_brighter = (across[:, :, 1:] > across[:, :, :-1], down[:, 1:] > down[:, :-1])
    bits = np.concatenate([of.reshape(len(pictures), -1) for of in is_brighter], axis=1)
    dealt = bits.reshape(-1, BAND_BITS, BANDS).transpose(0, 2, 1).reshape(-1, HASH_BITS)
    return dealt.astype(np.int64) @ (1 << np.arange(HASH_BITS - 1, -1, -1, dtype=np.int64))
