"""Photographs that nobody took: one product in a scene, as a telephone's camera would have seen it.

`render` is deterministic: the same seed, label and index give the same JPEG bytes with the same version of Pillow.
"""

import io
import random
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deep_images_hub.errors import NotFoundError
from deep_images_hub.simulation.backgrounds import background
from deep_images_hub.simulation.label_art import COLOUR_WAYS
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.solids import Light, light_from

_SIZES = ((368, 288), (288, 368), (320, 320), (384, 288), (304, 384))
_NOISE_TILE_PX = 512


def render(seed: int, label: str, index: int) -> bytes:
    """Return one photograph of a product as JPEG, short side 288 to 320 px.

    Raises:
        NotFoundError: the simulator draws no such product.
    """
    if label not in PRODUCTS:
        raise NotFoundError(f"The simulator cannot draw {label!r}. It draws: {', '.join(PRODUCTS)}.")
    rng = random.Random(f"{seed}/{label}/{index}")
    image = compose(label, rng)
    body = io.BytesIO()
    image.save(body, "JPEG", quality=rng.randint(80, 93))
    return body.getvalue()


def compose(label: str, rng: random.Random) -> Image.Image:
    """Return the scene of one photograph, RGB, before it is compressed."""
    size = rng.choice(_SIZES)
    light = light_from(
        rng.uniform(-70, 70), rng.uniform(15, 65), strength=rng.uniform(0.5, 0.85), elevation=rng.uniform(0.06, 0.34)
    )
    horizon = rng.choice((0.0, rng.uniform(0.3, 0.65), rng.uniform(0.3, 0.65)))
    cutout = _placed(PRODUCTS[label](light, rng), size, rng)
    left = round((size[0] - cutout.width) / 2 + rng.gauss(0, 0.06) * size[0])
    top = round((size[1] - cutout.height) / 2 + rng.gauss(0.03, 0.05) * size[1])
    behind = background((size[0] // 2, size[1] // 2), horizon, rng)
    scene = _with_shadow(behind, cutout, (left, top), light, rng).resize(size, Image.Resampling.BILINEAR)
    scene.paste(cutout, (left, top), cutout)
    if rng.random() < 0.25:
        _occlude(scene, rng)
    return _photographed(scene, rng)


def _placed(cutout: Image.Image, size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Turn a cut-out in the picture's plane and bring it to the size at which it is seen."""
    share = rng.triangular(0.6, 1.0, 0.84)
    scale = share * min(size[1] / cutout.height, size[0] / cutout.width, 1.25 * min(size) / max(cutout.size))
    shrunk = cutout.resize(
        (max(8, round(cutout.width * scale)), max(8, round(cutout.height * scale))), Image.Resampling.BILINEAR, reducing_gap=1.5
    )
    # Most people hold the telephone nearly level; some things lie on their side.
    angle = rng.gauss(0, 9) if rng.random() < 0.92 else rng.uniform(-100, 100)
    return shrunk.rotate(angle, Image.Resampling.BILINEAR, expand=True)


def _with_shadow(behind: Image.Image, cutout: Image.Image, at: tuple[int, int], light: Light, rng: random.Random) -> Image.Image:
    """Darken the ground under and beside the product, away from the light. behind: at half the scene's size; at: in the scene."""
    # An eighth of the scene's size: a soft shadow has no detail, and blurring is what costs.
    small = cutout.getchannel("A").resize((max(1, cutout.width // 8), max(1, cutout.height // 8)), Image.Resampling.BOX)
    room = Image.new("L", (behind.width // 4, behind.height // 4))
    away_x, away_y = -light.direction[0] * 0.16, 0.05
    room.paste(small, (round((at[0] + away_x * cutout.width) / 8), round((at[1] + away_y * cutout.height) / 8)))
    depth = rng.uniform(0.35, 0.75)
    soft = room.filter(ImageFilter.GaussianBlur(rng.uniform(1.2, 3.0))).point(
        [255 - round(level * depth) for level in range(256)]
    )
    shade = soft.resize(behind.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(behind, Image.merge("RGB", (shade, shade, shade)))


def _occlude(scene: Image.Image, rng: random.Random) -> None:
    """Put something near and out of focus at the edge: a finger, a leaf, another package. It never hides the middle."""
    width, height = scene.width // 4, scene.height // 4
    layer = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(layer)
    colour = rng.choice((*rng.choice(COLOUR_WAYS), (214, 160, 130), (150, 100, 74), (70, 110, 50)))
    x, y = rng.choice((0, width)), rng.uniform(0.15, 0.95) * height
    long, wide = rng.uniform(0.16, 0.36) * width, rng.uniform(0.12, 0.26) * height
    if rng.random() < 0.6:
        draw.ellipse((x - long, y - wide, x + long, y + wide), fill=(*colour, 255))
    else:
        draw.rectangle((x - long, y - wide, x + long, height), fill=(*colour, 255))
    layer = layer.rotate(rng.uniform(-20, 20), Image.Resampling.BILINEAR).filter(ImageFilter.BoxBlur(rng.uniform(0.7, 2)))
    near = layer.resize(scene.size, Image.Resampling.BILINEAR)
    scene.paste(near, (0, 0), near)


def _photographed(scene: Image.Image, rng: random.Random) -> Image.Image:
    """Do to a scene what light, lens and sensor do: uneven light, tint, exposure, contrast, softness, noise."""
    softness = rng.choice((0.0, 0.0, rng.uniform(0.2, 0.7)))
    if softness:
        scene = scene.filter(ImageFilter.GaussianBlur(softness))
    warmth, exposure, contrast = rng.gauss(0, 0.07), rng.triangular(0.7, 1.4, 1.08), rng.uniform(0.8, 1.15)
    gains = np.array([1 + warmth, 1 + rng.gauss(0, 0.025), 1 - warmth], dtype=np.float32) * np.float32(exposure * contrast)
    corners = np.array([[rng.uniform(0.75, 1.1) for _ in range(2)] for _ in range(2)], dtype=np.float32)
    falloff = np.asarray(Image.fromarray(corners).resize(scene.size, Image.Resampling.BILINEAR))
    levels = np.asarray(scene) * (falloff[..., None] * gains)
    levels += _noise(scene.size, rng) * np.float32(rng.uniform(2.0, 7.0))
    levels += np.float32(118 * (1 - contrast))
    return Image.fromarray(np.clip(levels, 0, 255, out=levels).astype(np.uint8))


def _noise(size: tuple[int, int], rng: random.Random) -> NDArray[np.float32]:
    """Return a cut of sensor noise, standard deviation 1, (height, width, 3)."""
    width, height = size
    left, top = rng.randrange(_NOISE_TILE_PX - width), rng.randrange(_NOISE_TILE_PX - height)
    return _noise_tile()[top : top + height, left : left + width]


@lru_cache(maxsize=1)
def _noise_tile() -> NDArray[np.float32]:
    # Drawn once: normal numbers for every pixel of every picture would cost a third of its time.
    return np.random.default_rng(0).standard_normal((_NOISE_TILE_PX, _NOISE_TILE_PX, 3), dtype=np.float32)
