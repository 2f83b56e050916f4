"""What stands behind and under a product: tables, tiles, cloth, shelves, lights. Drawn small and enlarged: a little soft."""

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from deep_images_hub.simulation.label_art import COLOUR_WAYS, Colour

_MUTED: tuple[Colour, ...] = (
    (222, 216, 204), (186, 178, 166), (148, 156, 160), (206, 214, 216), (120, 108, 98),
    (232, 228, 222), (96, 104, 112), (176, 186, 170), (210, 190, 170), (72, 70, 74),
)  # fmt: skip
_WOODS: tuple[Colour, ...] = ((186, 140, 96), (142, 98, 62), (212, 178, 138), (104, 72, 50), (170, 150, 130))


def _jittered(colour: Colour, rng: random.Random, spread: int = 22) -> Colour:
    shift = rng.randint(-spread, spread)
    red, green, blue = (max(0, min(255, level + shift + rng.randint(-8, 8))) for level in colour)
    return red, green, blue


def _clouded(image: Image.Image, rng: random.Random, strength: float, cells: tuple[int, int]) -> Image.Image:
    """Multiply an image with soft noise of so many cells across and down."""
    noise = np.random.default_rng(rng.getrandbits(64)).random((cells[1], cells[0]), dtype=np.float32)
    cloud = Image.fromarray((noise * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)
    factor = 1 + (np.asarray(cloud, np.float32)[..., None] / 255 - 0.5) * strength
    return Image.fromarray(np.clip(np.asarray(image, np.float32) * factor, 0, 255).astype(np.uint8))


def _plain(size: tuple[int, int], rng: random.Random) -> Image.Image:
    return _clouded(Image.new("RGB", size, _jittered(rng.choice(_MUTED), rng)), rng, 0.25, (5, 5))


def _planks(size: tuple[int, int], rng: random.Random) -> Image.Image:
    width, height = size
    wood = rng.choice(_WOODS)
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    plank = rng.randint(height // 7, height // 3)
    for top in range(-rng.randrange(plank), height, plank):
        draw.rectangle((0, top, width, top + plank), fill=_jittered(wood, rng))
        draw.line((0, top, width, top), fill=(50, 36, 26), width=1)
    grained = _clouded(image, rng, 0.35, (4, height // 2))
    return grained if rng.random() < 0.7 else grained.rotate(90, expand=True).resize(size)


def _tiles(size: tuple[int, int], rng: random.Random) -> Image.Image:
    width, height = size
    first, second = _jittered(rng.choice(_MUTED), rng), _jittered(rng.choice(_MUTED), rng)
    image = Image.new("RGB", size, first)
    draw = ImageDraw.Draw(image)
    side = rng.randint(22, 60)
    is_brick, is_checked = rng.random() < 0.4, rng.random() < 0.4
    for row, top in enumerate(range(-rng.randrange(side), height, side)):
        shift = side if is_brick and row % 2 else 0
        for column, left in enumerate(range(-2 * side + shift, width + side, side * (2 if is_brick else 1))):
            colour = second if is_checked and (row + column) % 2 else _jittered(first, rng, 6)
            right = left + side * (2 if is_brick else 1)
            draw.rectangle((left, top, right, top + side), fill=colour, outline=(150, 148, 144))
    return _clouded(image, rng, 0.2, (4, 4))


def _cloth(size: tuple[int, int], rng: random.Random) -> Image.Image:
    width, height = size
    image = Image.new("RGB", size, _jittered(rng.choice(_MUTED), rng))
    overlay = Image.new("RGBA", size)
    draw = ImageDraw.Draw(overlay)
    step, thread = rng.randint(16, 44), (*_jittered(rng.choice(rng.choice(COLOUR_WAYS)), rng), rng.randint(70, 150))
    for left in range(0, width, step):
        draw.rectangle((left, 0, left + step // 2, height), fill=thread)
    if rng.random() < 0.5:
        crossing = Image.new("RGBA", size)
        lines = ImageDraw.Draw(crossing)
        for top in range(0, height, step):
            lines.rectangle((0, top, width, top + step // 2), fill=thread)
        overlay.alpha_composite(crossing)
    image.paste(overlay, (0, 0), overlay)
    return _clouded(image, rng, 0.4, (6, 6))


def _speckled(size: tuple[int, int], rng: random.Random) -> Image.Image:
    base = _plain(size, rng)
    noise = np.random.default_rng(rng.getrandbits(64)).normal(0, rng.uniform(8, 30), (size[1], size[0], 1))
    return Image.fromarray(np.clip(np.asarray(base, np.float32) + noise, 0, 255).astype(np.uint8)).filter(
        ImageFilter.BoxBlur(0.6)
    )


def _lights(size: tuple[int, int], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", size, _jittered(rng.choice(_MUTED), rng, 40))
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(rng.randint(14, 34)):
        x, y, radius = rng.randrange(size[0]), rng.randrange(size[1]), rng.randint(6, 30)
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=(*rng.choice(rng.choice(COLOUR_WAYS)), rng.randint(50, 150))
        )
    return image.filter(ImageFilter.BoxBlur(rng.uniform(1.5, 5)))


def _shelf(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Shapes of other goods, out of focus."""
    width, height = size
    image = _plain(size, rng)
    draw = ImageDraw.Draw(image)
    left = -10
    while left < width:
        wide, high = rng.randint(14, 46), rng.randint(height // 3, height * 4 // 5)
        ground, ink, accent = rng.choice(COLOUR_WAYS)
        draw.rounded_rectangle(
            (left, height - high, left + wide, height), radius=rng.choice((0, 3, 10)), fill=_jittered(ground, rng)
        )
        middle = height - high // 2
        draw.rectangle((left, middle - 10, left + wide, middle + rng.randint(4, 30)), fill=rng.choice((ink, accent)))
        left += wide + rng.randint(1, 12)
    return image.filter(ImageFilter.BoxBlur(rng.uniform(1.5, 4)))


_Painter = Callable[[tuple[int, int], random.Random], Image.Image]
_WALLS: tuple[_Painter, ...] = (_plain, _tiles, _cloth, _speckled, _lights, _shelf, _planks)
_GROUNDS: tuple[_Painter, ...] = (_plain, _planks, _cloth, _speckled, _tiles)


def background(size: tuple[int, int], horizon: float, rng: random.Random) -> Image.Image:
    """Draw a wall over a surface.

    Args:
        size: (width, height) px, half of the scene's.
        horizon: where they meet, as a share of the height; 0 or less: only the surface is seen.
    """
    width, height = size
    image = rng.choice(_GROUNDS)(size, rng)
    line = round(horizon * height)
    if line > 0:
        image.paste(rng.choice(_WALLS)(size, rng).crop((0, 0, width, line)), (0, 0))
        ImageDraw.Draw(image, "RGBA").rectangle((0, line, width, line + 2), fill=(0, 0, 0, 60))
    return image
