"""What is printed on the products: flat artwork, in the few colour ways that each maker sells.

Makers are told apart by what they draw, not by a colour: every colour way takes its colours from the same list.
"""

import random
from collections.abc import Callable
from functools import lru_cache
from math import cos, pi, sin

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

COLOUR_WAYS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((196, 30, 44), (250, 246, 236), (34, 34, 40)),
    ((22, 92, 168), (240, 246, 250), (250, 190, 40)),
    ((28, 126, 84), (244, 240, 220), (238, 120, 36)),
    ((240, 176, 30), (60, 36, 90), (252, 250, 244)),
    ((108, 52, 140), (246, 220, 232), (250, 210, 70)),
    ((238, 238, 232), (30, 120, 140), (214, 60, 60)),
    ((40, 42, 54), (236, 200, 120), (226, 82, 66)),
    ((240, 128, 150), (252, 250, 244), (46, 84, 130)),
)
# Around a can, 640 px are about twice what is seen of it at once.
AROUND_PX, HEIGHT_PX = 640, 360


def _text(draw: ImageDraw.ImageDraw, centre: tuple[float, float], word: str, size_px: int, colour: Colour) -> None:
    draw.text(centre, word, font=_font(size_px), fill=colour, anchor="mm", stroke_width=max(1, size_px // 22), stroke_fill=colour)


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _small_print(draw: ImageDraw.ImageDraw, left: float, top: float, colour: Colour, rng: random.Random) -> None:
    """A bar code and lines too small to read, as every package has."""
    x = left
    while x < left + 64:
        width = rng.choice((1, 2, 3))
        draw.rectangle((x, top, x + width, top + 34), fill=(30, 30, 30))
        x += width + rng.choice((2, 3))
    for line in range(5):
        draw.rectangle((left, top + 44 + line * 8, left + rng.randint(36, 70), top + 47 + line * 8), fill=colour)


def _waves(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for band, (colour, thickness, top) in enumerate(((ink, 54, 160), (accent, 14, 236), (ink, 8, 128))):
        upper = [(x, top + 42 * sin(x / AROUND_PX * 4 * pi + band * 0.2)) for x in range(0, AROUND_PX + 1, 8)]
        draw.polygon([*upper, *((x, y + thickness) for x, y in reversed(upper))], fill=colour)
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        _text(draw, (middle, 84), "LUMO", 66, ink)
        _text(draw, (middle, 300), "cola", 44, accent)


def _orbits(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        for radius, width in ((120, 8), (86, 12), (48, 60)):
            draw.ellipse((middle - radius, 176 - radius, middle + radius, 176 + radius), outline=ink, width=width)
        for angle, radius, size in ((0.6, 120, 16), (2.5, 86, 12), (4.2, 120, 20)):
            x, y = middle + radius * cos(angle), 176 + radius * sin(angle)
            draw.ellipse((x - size, y - size, x + size, y + size), fill=accent)
        _text(draw, (middle, 176), "ORBIT", 30, ground)
        _text(draw, (middle, 328), "ginger soda", 30, ink)


def _peaks(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        draw.ellipse((middle + 36, 50, middle + 112, 126), fill=accent)
        for shift, top, half in ((-70, 120, 100), (60, 150, 90), (0, 70, 120)):
            draw.polygon(((middle + shift - half, 280), (middle + shift, top), (middle + shift + half, 280)), fill=ink)
            cap = half * 0.3
            draw.polygon(
                ((middle + shift - cap, top + 56), (middle + shift, top), (middle + shift + cap, top + 56)), fill=(250, 252, 255)
            )
        draw.rectangle((middle - 160, 276, middle + 160, HEIGHT_PX), fill=ground)
        _text(draw, (middle, 318), "ALPINE", 58, ink)


def _leaves(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    draw.rectangle((0, 14, AROUND_PX, 22), fill=accent)
    draw.rectangle((0, HEIGHT_PX - 22, AROUND_PX, HEIGHT_PX - 14), fill=accent)
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        draw.line(((middle - 110, 250), (middle, 196), (middle + 110, 120)), fill=ink, width=7)
        for step in range(6):
            x, y = middle - 100 + step * 40, 246 - step * 23
            for side in (-1, 1):
                tip = (x + 34, y + side * 56)
                draw.polygon(((x, y), (x + 4, y + side * 34), tip, (x + 30, y + side * 20)), fill=ink)
        for x, y in ((middle - 50, 262), (middle + 64, 196)):
            draw.ellipse((x - 20, y - 26, x + 20, y + 26), fill=accent)
        _text(draw, (middle, 64), "GROVE", 58, ink)
        _text(draw, (middle, 316), "olive oil", 40, ink)


def _patches(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for _ in range(13):
        x, y, size = rng.uniform(0, AROUND_PX), rng.uniform(110, HEIGHT_PX), rng.uniform(28, 66)
        outline = [
            (x + size * rng.uniform(0.7, 1.2) * cos(step / 5 * pi), y + size * rng.uniform(0.5, 0.9) * sin(step / 5 * pi))
            for step in range(10)
        ]
        draw.polygon(outline, fill=ink)
    draw.rectangle((0, 34, AROUND_PX, 104), fill=accent)
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        _text(draw, (middle, 68), "MEADOW", 54, ground)


def _slices(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        for x, y, radius in ((middle - 24, 214, 124), (middle + 104, 96, 56)):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=accent)
            inner = radius * 0.86
            draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=ground)
            for segment in range(8):
                start = segment * 45 + 4
                core = radius * 0.78
                draw.pieslice((x - core, y - core, x + core, y + core), start, start + 37, fill=accent)
        _text(draw, (middle - 30, 48), "SUNNY", 54, ink)


def _burst(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        rays = []
        for ray in range(32):
            radius = 150 if ray % 2 else 92
            rays.append((middle + radius * cos(ray * pi / 16), 140 + radius * sin(ray * pi / 16)))
        draw.polygon(rays, fill=accent)
        _text(draw, (middle, 122), "CRUNCH", 62, ink)
        draw.chord((middle - 104, 150, middle + 104, 360), 0, 180, fill=ink)
        for _ in range(26):
            x, y = middle + rng.uniform(-88, 88), 250 - rng.uniform(0, 40)
            draw.ellipse((x - 13, y - 10, x + 13, y + 10), fill=(222, 168, 84), outline=(150, 96, 40), width=3)


def _berries(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    draw.rectangle((0, 8, AROUND_PX, HEIGHT_PX - 8), outline=ink, width=6)
    for middle in (AROUND_PX // 4, 3 * AROUND_PX // 4):
        for row, count in enumerate((5, 4, 3, 2)):
            for column in range(count):
                x, y = middle + (column - (count - 1) / 2) * 46, 160 + row * 40
                draw.ellipse((x - 24, y - 24, x + 24, y + 24), fill=ink)
                draw.ellipse((x - 12, y - 16, x - 2, y - 6), fill=(255, 255, 255))
        draw.polygon(((middle - 20, 132), (middle + 16, 104), (middle + 70, 112), (middle + 20, 138)), fill=accent)
        _text(draw, (middle, 62), "BERRY", 66, ink)


def _stripes(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    for row in range(0, HEIGHT_PX, 72):
        draw.rectangle((0, row + 10, AROUND_PX, row + 40), fill=ink)
        draw.rectangle((0, row + 50, AROUND_PX, row + 58), fill=accent)


def _gingham(draw: ImageDraw.ImageDraw, ground: Colour, ink: Colour, accent: Colour, rng: random.Random) -> None:
    pale: Colour = (250, 248, 242)
    middle: Colour = ((ink[0] + 250) // 2, (ink[1] + 248) // 2, (ink[2] + 242) // 2)
    side = 40
    for row in range(HEIGHT_PX // side + 1):
        for column in range(AROUND_PX // side):
            colour = (pale, middle, ink)[row % 2 + column % 2]
            draw.rectangle((column * side, row * side, column * side + side - 1, row * side + side - 1), fill=colour)


_ARTISTS: dict[str, Callable[[ImageDraw.ImageDraw, Colour, Colour, Colour, random.Random], None]] = {
    "waves": _waves,
    "orbits": _orbits,
    "peaks": _peaks,
    "leaves": _leaves,
    "patches": _patches,
    "slices": _slices,
    "burst": _burst,
    "berries": _berries,
    "stripes": _stripes,
    "gingham": _gingham,
}


@lru_cache(maxsize=len(_ARTISTS) * len(COLOUR_WAYS))
def artwork(name: str, colour_way: int) -> Image.Image:
    """Return a design in one of its colour ways, RGB, AROUND_PX x HEIGHT_PX. It is shared: copy before drawing on it."""
    ground, ink, accent = COLOUR_WAYS[colour_way]
    image = Image.new("RGB", (AROUND_PX, HEIGHT_PX), ground)
    draw = ImageDraw.Draw(image)
    rng = random.Random(f"{name}/{colour_way}")
    _ARTISTS[name](draw, ground, ink, accent, rng)
    if name not in ("stripes", "gingham"):
        _small_print(draw, AROUND_PX // 2 - 36, 150, ink, rng)
    return image
